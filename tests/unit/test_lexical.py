"""Lexical search: tokens, and the searchable text of a work."""

from __future__ import annotations

import dataclasses

import pytest

from gallery.vectors.lexical import STOP_WORDS, remove_words, searchable_text, tokens
from tests.contracts.vector_store import artist, work


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  \n\t ", []),
        ("The painting of a Saint", ["saint"]),
        ("Albrecht Dürer", ["albrecht", "durer"]),
        ("Albrecht Du\u0308rer", ["albrecht", "durer"]),
        ("EL GRECO", ["el", "greco"]),
        ("Georgia O'Keeffe", ["georgia", "o", "keeffe"]),
        ("Théodore Géricault-Œuvre", ["theodore", "gericault", "oeuvre"]),
        ("Vilhelm Hammershøi", ["vilhelm", "hammershoi"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Андрей Рублёв", ["андреи", "рублев"]),
        ("Post-Impressionism,Symbolism", ["post", "impressionism", "symbolism"]),
        ("water_lilies_12", ["water", "lilies", "12"]),
        ('"*" (AND) \\ { } %', []),
        ("sea sea", ["sea", "sea"]),
    ],
)
def test_words_are_folded(text: str, words: list[str]) -> None:
    assert tokens(text) == words


@pytest.mark.parametrize(
    "forms",
    [
        ("Impressionism", "impressionist", "Impressionists", "impressionistic"),
        ("Cubism", "cubist", "Cubists", "cubistic"),
        ("Surrealism", "surrealist", "surrealistic"),
        ("Fauvism", "fauvist"),
        ("Expressionism", "expressionist"),
    ],
)
def test_a_movement_and_its_artists_are_one_word(forms: tuple[str, ...]) -> None:
    assert {tuple(tokens(form)) for form in forms} == {(forms[0].lower(),)}


@pytest.mark.parametrize("word", ["mist", "list", "prism", "exist", "lists", "twists"])
def test_short_words_that_only_end_alike_stay(word: str) -> None:
    assert tokens(word) == [word]


def test_stop_words_are_folded() -> None:
    assert all(word == word.lower().strip() and tokens(word) == [] for word in STOP_WORDS)


def test_a_work_has_the_words_of_its_artist_and_file_each_once() -> None:
    monet = artist("m", styles=("Impressionism", "French School"), nationalities=("French",))
    named = dataclasses.replace(monet, name="Claude Monet")
    one = work("id", named, file="Claude_Monet/Claude_Monet_12.b.jpg")
    assert searchable_text(one) == "claude monet impressionism french school b"


def test_searchable_text_consists_of_its_tokens() -> None:
    # A store that splits the text at spaces must get the tokens of a query.
    text = searchable_text(work("id", artist("søren", styles=("Cubist, Øther",))))
    assert tokens(text) == text.split()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("impressionist snow", "snow"),
        ("Snow, by an Impressionist painter", "Snow, by an painter"),
        ("impressionists", "impressionists"),
        ("a painting by impressionists", "a painting by impressionists"),
        ("post-impressionism at sea", "post-impressionism at sea"),
        ("boats", "boats"),
        ("", ""),
    ],
)
def test_known_words_are_removed_unless_nothing_remains(text: str, kept: str) -> None:
    assert remove_words(text, {"impressionism", "french"}) == kept
