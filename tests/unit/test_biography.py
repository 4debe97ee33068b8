"""Years, lists and summaries, from invented text that has the forms of the real file."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.biography import parse_list, parse_years, summarise
from tests.fakes.processes import HANG_GUARD_S

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("1853 – 1890", (1853, 1890)),
        ("1884 - 1920", (1884, 1920)),
        ("1884—1920", (1884, 1920)),
        ("1884 \N{MINUS SIGN} 1920", (1884, 1920)),
        ("(c. 1450–1516)", (1450, 1516)),
        ("c. 1488/1490 – 1576", (1488, 1576)),
        ("c. 1525-1530 – 1569", (1525, 1569)),
        ("1444/45–1510", (1444, 1510)),
        ("12 July 1884 – 24 January 1920", (1884, 1920)),
        ("1853-03-30 – 1890-07-29", (1853, 1890)),
        ("1853–90", (1853, 1890)),
        ("born 1932", (1932, None)),
        ("b. 1932; d. 2001", (1932, 2001)),
        ("1932 -", (1932, None)),
        ("1932–present", (1932, None)),
        ("1932", (1932, None)),
        ("– 1516", (None, 1516)),
        ("died 1427 or 1430", (None, 1427)),
        ("fl. 1420–1440", (None, None)),
        ("16th century", (None, None)),
        ("", (None, None)),
    ],
)
def test_years(text: str, years: tuple[int | None, int | None]) -> None:
    assert parse_years(text) == years


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("Northern Renaissance", ("Northern Renaissance",)),
        ("French,Jewish,Belarusian", ("French", "Jewish", "Belarusian")),
        (" Realism ; Pop  Art/Realism,,", ("Realism", "Pop Art")),
        ("Arts and Crafts, Post-Impressionism", ("Arts and Crafts", "Post-Impressionism")),
        ("B,A,b", ("B", "A")),
        ("", ()),
    ],
)
def test_lists(text: str, entries: tuple[str, ...]) -> None:
    assert parse_list(text) == entries


@pytest.mark.parametrize(
    ("bracket", "left"),
    [
        ("(; French: [ʒan dɔ]; 4 May 1840 – 5 June 1926)", " (4 May 1840 – 5 June 1926)"),
        ("(Italian pronunciation: [ˈdʒaːni da (k)ˈkaza]; c. 1450 – 1516)", " (c. 1450 – 1516)"),
        ("(US: , UK:  or ; Dutch: [jɑn] (listen), later [jɔn]; 1853 – 1890)", " (1853 – 1890)"),
        ("(French: [ʒan dɔ], born c. 4 May 1840)", " (born c. 4 May 1840)"),
        ("(Russian: Ива́н, tr. Iván, IPA: [ɪˈvan]) (16 May [O.S. 4 May] 1866)", " (16 May [O.S. 4 May] 1866)"),
        ("(( listen); born Jan Do [jɑn doː]; 1853 – 1890)", " (born Jan Do; 1853 – 1890)"),
        ("(born Jean-Do De Zo, French: [ʒan dɔ]; 1853)", " (born Jean-Do De Zo; 1853)"),
        ("( zhahn-DOH; 1853 – 1890)", " (1853 – 1890)"),
        ("(pronounced [zan]; 1853 – 1890)", " (1853 – 1890)"),
        ("/ʒɑːn ˈdoʊ/ (1853/1854 – 1890)", " (1853/1854 – 1890)"),
        ("(; Catalan: [ˈʒan]; Spanish: [xan])", ""),
        ("(English: )", ""),
        ("( ; , )", ""),
        ("()", ""),
        ("(Born: 4 May 1840)", " (Born: 4 May 1840)"),
        ("(also Doe; the Elder)", " (also Doe; the Elder)"),
        ("the Elder)", " the Elder"),
    ],
)
def test_pronunciations_and_foreign_names_are_removed_from_brackets(bracket: str, left: str) -> None:
    assert summarise(f"Jean Doe {bracket} was a painter.") == f"Jean Doe{left} was a painter."


def test_spaces_are_corrected_and_citation_marks_removed() -> None:
    bio = 'Doe  painted boats[1] , and  "harbours".[note 2]In Paris.[citation needed]Doe [h]ad friends [sic].'
    assert summarise(bio) == 'Doe painted boats, and "harbours". In Paris. Doe [h]ad friends [sic].'


@pytest.mark.parametrize(
    "sentence",
    [
        "J. M. W. Doe met J.B. Roe in St. Ives, c. 1800.",
        "Dr. Doe (fl. 1800, d. Paris) knew Mr. Roe Jr. well.",
        "Doe painted the sea, i.e. Waves, from 3.30 to 4.15.",
        'Doe said: "I paint!"',
    ],
)
def test_abbreviations_and_initials_do_not_end_a_sentence(sentence: str) -> None:
    assert summarise(f"{sentence} Then he left and painted no more.", limit=len(sentence)) == sentence


def test_only_whole_sentences_are_used() -> None:
    bio = "One is here. Two is there. Three is far."
    assert summarise(bio) == bio
    assert summarise(bio, limit=26) == "One is here. Two is there."
    assert summarise(bio, limit=25) == "One is here."
    assert summarise("One is here. Two is unfini") == "One is here."


def test_a_first_sentence_may_be_an_eighth_longer_or_is_cut_at_a_word() -> None:
    assert summarise("word " * 9 + "end.", limit=45) == "word " * 9 + "end."
    assert summarise("word, " * 100 + "end.", limit=40) == "word, word, word, word, word, word…"
    assert summarise("w" * 100, limit=40) == "w" * 39 + "…"


def test_text_without_a_sentence_stays_unchanged() -> None:
    assert summarise("Painter of boats") == "Painter of boats"
    assert summarise(" ") == ""


LONG_TEXTS = """
from gallery.biography import parse_list, parse_years, summarise
for piece in ("(", "((a)", "[a", "[a]", ".", "a. ", "(A: ", "/a", ";"):
    print(piece, flush=True)
    bio = "(" + piece * (200_000 // len(piece)) + ")"
    assert len(summarise(bio)) <= 450
    parse_years(bio[:-1])
    parse_list(bio)
"""


def test_unclosed_brackets_do_not_take_quadratic_time() -> None:
    """All of them take about 2 s; a quadratic algorithm would take many minutes for one, and be stopped."""
    subprocess.run([sys.executable, "-c", LONG_TEXTS], cwd=ROOT, check=True, timeout=HANG_GUARD_S)


@given(st.text(st.sampled_from("aÉɔ .,;:()[]/1!“\n")), st.integers(8, 60))
def test_any_text_gives_a_short_summary(bio: str, limit: int) -> None:
    summary = summarise(bio, limit)
    assert len(summary) <= limit + limit // 8
    assert summary == summary.strip()


def test_the_real_biographies_all_give_clean_summaries() -> None:
    """Facts about the form only; needs GALLERY_TEST_DATA, the path of the dataset's zip."""
    archive = os.environ.get("GALLERY_TEST_DATA")
    if not archive:
        pytest.skip("GALLERY_TEST_DATA names no archive of real paintings")
    with zipfile.ZipFile(archive) as data:
        rows = list(csv.DictReader(io.StringIO(data.read("artists.csv").decode("utf-8"))))
    assert rows
    for row in rows:
        summary = summarise(row["bio"])
        assert 50 < len(summary) <= 450
        assert summary.rstrip("\"”’')").endswith((".", "!", "?", "…"))
        assert not re.search(
            r"\[[^]]*[\u0250-\u02ff]|pronunciation|\(\W*\)|\(\W*[;,:]|  | ,|: *[;)]", summary
        )
        birth, death = parse_years(row["years"])
        assert birth and death and birth < death
        assert parse_list(row["genre"]) and parse_list(row["nationality"])
