"""Names: correct ones stay, mojibake is repaired, and all spellings of an artist share a key."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.names import best_spelling, display_name, match_key, repair, slugify_name

LATIN_NAMES = """
    Albrecht Dürer, Joan Miró, Salvador Dalí, Édouard Manet, Paul Cézanne, René Magritte, Eugène Delacroix,
    Henri Émile Benoît Matisse, François Boucher, Anaïs Staël, Zoë Chloé, Œuvre Lœuvre Noël,
    Paul Sérusier d’Été,
    Diego Velázquez, Joaquín Sorolla, Íñigo Ñúñez, Òscar Domínguez, Antoni Tàpies, Josep Subirachs i Solà,
    À Gràcia Vilà Jordà, João Câmara Falcão, Nuno Gonçalves, Tarsila do Amaral Assunção, Ávila Ígor Ôma,
    Käthe Kollwitz-Groß, Strauß Großmann, Óscar Über, Stanisław Wyspiański, Józef Chełmoński,
    Jacek Łukasz Żółtowski, Władysław Ślewiński, Mieczysław Wąż Źrebięcki, František Kupka Říčan, Josef Čapek,
    Antonín Dvořáček, Štěpán Žižka, Toyen Čermínová, Ľudovít Fulla, Šimon Ďuriš Ťažký, Mihály Munkácsy,
    László Moholy-Nagy, Győző Vásárhelyi, Űllő Tűzkő, Ödön Őry, Halıç Kılıç, İbrahim Çallı, Osman Hamdi Şeker,
    Fikret Muallâ Saygı, Gülsün Karamustafa, Constantin Brâncuși, Ștefan Luchian, Țuculescu Ion,
    Corneliu Băbuță,
    Asger Jørn Ærø, Øyvind Åsmund Ågård, Anders Zörn Öström, Akseli Gallen-Kallela Häyrinen, Mäenpää,
    Sveinsson Kjarval Þórðarson, Ásgrímur Ýmir Ðorri, Köler Õnne Ürgväli, Jānis Rozentāls Ķiģelis,
    Gustavs Šķilters Ņūmans, Mikalojus Čiurlionis Žemaitė, Ivan Meštrović Đorđe, Đura Jakšić, Māori Tāne,
    Nguyễn Gia Trí, Lê Phổ, Bùi Xuân Phái, Tô Ngọc Vân, Trần Văn Cẩn Đặng, Hokusaï Ōkyo Kyōsai, Gwŷr Tŵr
"""
OTHER_NAMES = """
    Казимир Малевич, Андрей Рублёв, Василий Кандинский, Михаил Врубель, Архип Куїнджі,
    Марія Приймаченко Ґудзь,
    Єгор Її Іванович, Урош Предић Ђорђе Љуба Њега, Δομήνικος Θεοτοκόπουλος, Γιάννης Τσαρούχης,
    Νίκος Εγγονόπουλος,
    ნიკო ფიროსმანი, Մարտիրոս Սարյան, محمود سعيد, مارك شاغال, כמאל אלמלך, מארק שאגאל, 齐白石, 徐悲鴻, 葛飾北斎,
    岡本太郎, クロード・モネ, 이중섭, 김환기, 백남준, राजा रवि वर्मा, ถวัลย์ ดัชนี
"""
Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, Form] = ("NFC", "NFD")

NAMES = [name.strip() for name in (LATIN_NAMES + "," + OTHER_NAMES).split(",")]

# The pages that must never fail, and the rest; the sloppy- codecs are ftfy's, which decode as Windows does.
PAGES = ["cp437", "cp850", "cp852", "latin-1", "mac_roman"] + [f"sloppy-windows-125{n}" for n in (0, 1, 2, 4)]
MORE_PAGES = ["cp858", "cp866", "iso-8859-2", "iso-8859-15", "sloppy-windows-1253", "sloppy-windows-1257"]

# A decomposed comma below in Mac Roman is the same bytes as "ö" in Windows-1252.
TRULY_AMBIGUOUS = {(name, "NFD", "mac_roman") for name in ("Ștefan Luchian", "Țuculescu Ion")}


def mojibake(name: str, *pages: str, form: Form = "NFC") -> str:
    text = unicodedata.normalize(form, name)
    for page in pages:
        text = text.encode("utf-8").decode(page)
    return text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "change", [str, str.upper, str.lower, str.split], ids=["as is", "upper", "lower", "words"]
)
def test_correct_names_stay_unchanged(change: Callable[[str], str | list[str]], form: Form) -> None:
    for name in NAMES:
        changed = change(name)
        for text in [changed, changed.replace(" ", "_")] if isinstance(changed, str) else changed:
            assert repair(unicodedata.normalize(form, text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("page", PAGES)
def test_every_name_is_restored_from_one_page_applied_once_or_twice(page: str, times: int) -> None:
    for name, form in itertools.product(NAMES, FORMS):
        if (name, form, page) not in TRULY_AMBIGUOUS:
            assert repair(mojibake(name, *[page] * times, form=form)) == name


def test_nearly_every_name_is_restored_from_two_different_pages() -> None:
    """All ordered pairs of pages, each with a share of the names; the misses are truly ambiguous."""
    pairs = list(itertools.permutations(PAGES + MORE_PAGES, 2))
    tried, missed = 0, list[tuple[str, str, tuple[str, str]]]()
    for at, (name, form) in enumerate(itertools.product(NAMES, FORMS)):
        for pair in pairs[at % 31 :: 31]:
            tried += 1
            if repair(mojibake(name, *pair, form=form)) != name:
                missed.append((name, form, pair))
    assert len(missed) <= 0.005 * tried, missed


@pytest.mark.parametrize(
    "spelling",
    [
        "Albrecht_Du╠êrer",
        "Albrecht_DuΓòá├¬rer",
        "Albrecht Du\u0308rer",
        "Albrecht_Dürer",
        " Albrecht  Dürer\u00a0",
    ],
)
def test_the_archives_spellings_have_one_display_name(spelling: str) -> None:
    assert display_name(spelling) == "Albrecht Dürer"
    assert slugify_name(spelling) == "albrecht-durer"


@pytest.mark.parametrize(
    ("lossy", "name"),
    [
        ("Josep VilÃ\u00a0", "Josep Vilà"),  # U+00A0 is the second byte of "à", not white space
        ("Josep VilÃ", "Josep Vilà"),
        ("VilÃ Nova", "Vilà Nova"),
        ("VilÃ_Nova", "Vilà_Nova"),
        ("GrÃ cia MirÃ³", "Gràcia Miró"),
        ("Å imon", "Šimon"),
    ],
)
def test_a_lost_no_break_space_is_restored(lossy: str, name: str) -> None:
    assert repair(lossy) == name


def test_decomposed_mojibake_is_restored() -> None:
    assert repair(unicodedata.normalize("NFD", mojibake("Édouard Vilà", "latin-1"))) == "Édouard Vilà"


@pytest.mark.parametrize("name", ["", "Claude Monet", "D\ufffdrer", "Ó hÓgáin", "L’Été", "★ ©", "D³rer"])
def test_a_name_that_no_page_restores_stays_unchanged(name: str) -> None:
    assert repair(name) == name


def test_display_name_keeps_hyphens() -> None:
    assert display_name("Pierre-Auguste__Renoir ") == "Pierre-Auguste Renoir"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Øyvind Łuk Đorđe Strauß Ærø Œuvre Þór Kılıç", "oyvind-luk-dorde-strauss-aero-oeuvre-thor-kilic"),
        ("d’Orsay", "d-orsay"),
        ("d'Orsay", "d-orsay"),
        ("★", "black-star"),
        ("_ ", ""),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert slugify_name(name) == slug


@pytest.mark.parametrize("name", NAMES)
def test_all_spellings_of_a_name_share_its_key(name: str) -> None:
    key = match_key(name)
    assert re.fullmatch("[a-z0-9]+", key)
    for spelling in [
        name.lower(),
        name.replace(" ", "_"),
        name.replace(" ", "-"),
        unicodedata.normalize("NFD", name),
    ]:
        assert match_key(spelling) == key
    assert match_key(slugify_name(name)) == key
    assert match_key(mojibake(name, "cp437", "cp437", form="NFD")) == key


def test_different_names_have_different_keys() -> None:
    assert len({match_key(name) for name in NAMES}) == len(NAMES)


def test_the_best_spelling_has_the_most_accented_letters() -> None:
    assert best_spelling(["Joan Miro", "Joan Miró"]) == "Joan Miró"
    assert best_spelling(["Jørn", "Jorn", "Jörn"]) == "Jørn"
    assert best_spelling(["El Greco", "EL GRECO"]) == "El Greco"


@given(st.text(max_size=40))
def test_any_text_becomes_nfc_with_an_ascii_slug(text: str) -> None:
    assert unicodedata.is_normalized("NFC", repair(text))
    assert re.fullmatch("([a-z0-9]+(-[a-z0-9]+)*)?", slugify_name(text))


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_only_trimmed(text: str) -> None:
    assert repair(text) == text.strip()
