"""Each row of artists.csv is read correctly, or left out and reported, and never takes data of another."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.biography import parse_list, parse_years
from gallery.errors import Invalid
from pipelines.defs.catalog.artists_csv import COLUMNS, parse_artists_csv

GOOD = [
    "Ada Amber",
    "1840 - 1926",
    "Realism",
    "French",
    "A painter, of portraits.\nAnd of rivers.",
    "https://e.org/a",
]
ROWS = [
    [f"Artist {n}", f"18{n:02d} - 19{n:02d}", "Realism", "French", f"Bio {n}", f"https://e.org/{n}"]
    for n in range(5)
]


def text_of(rows: list[list[str]], header: tuple[str, ...] = COLUMNS) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *rows])
    return buffer.getvalue()


def names(data: bytes) -> list[str]:
    return [row.fields["name"] for row in parse_artists_csv(data).rows]


FIELD = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Cf", "Zl", "Zp")), max_size=30)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(FIELD, min_size=6, max_size=6), max_size=6))
def test_what_a_csv_writer_writes_is_read_back(rows: list[list[str]]) -> None:
    written = [
        [f"n{place}", *(f"x{field.strip()}x" for field in row[1:5]), ""] for place, row in enumerate(rows)
    ]
    read = parse_artists_csv(text_of(written).encode())
    assert read.problems == []
    assert [[row.fields[column] for column in COLUMNS] for row in read.rows] == written


MISTAKES = {
    "a comma too many": lambda line: line.replace("Realism", "Realism,Landscape"),
    "a quote that is not doubled": lambda line: line.replace("Bio", '"The "Master, of') + '"',
    "a quote that never closes": lambda line: line.replace("Bio", '"Bio'),
    "two more fields": lambda line: line + ",1,2",
    "an empty field more": lambda line: line + ",",
    "a comma too many and no link": lambda line: (
        line.replace("Realism", "Realism,Landscape").rpartition(",")[0] + ","
    ),
    "a comma too few": lambda line: line.replace(",", ";", 1),
    "no field after the years": lambda line: ",".join(line.split(",")[:2]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("place", range(5))
def test_a_bad_row_is_reported_with_its_line_and_takes_no_other_with_it(mistake: str, place: int) -> None:
    lines = text_of(ROWS).splitlines()
    lines[place + 1] = MISTAKES[mistake](lines[place + 1])
    read = parse_artists_csv("\n".join(lines).encode())
    expected = [row[0] for row in ROWS if row is not ROWS[place]]
    assert [row.fields["name"] for row in read.rows] == expected
    assert all(row.fields["bio"] == f"Bio {row.fields['name'][-1]}" for row in read.rows)
    assert len(read.problems) == 1 and read.problems[0].startswith(f"line {place + 2}: ")


@pytest.mark.parametrize("places", list(itertools.combinations(range(5), 2)), ids=str)
def test_two_stray_quotes_take_no_row_between_them(places: tuple[int, int]) -> None:
    """Together they look like one quoted field of many lines."""
    lines = text_of(ROWS).splitlines()
    first, last = places
    lines[first + 1] = lines[first + 1].replace("Bio", '"Bio')
    lines[last + 1] = lines[last + 1].replace(f"Bio {last}", f'Bio {last}"')
    read = parse_artists_csv("\n".join(lines).encode())
    untouched = {row[0] for place, row in enumerate(ROWS) if place not in places}
    assert untouched <= {row.fields["name"] for row in read.rows}
    for row in read.rows:
        assert row.fields["bio"].removesuffix('"') == f"Bio {row.fields['name'][-1]}"
    reported = [problem.split(":")[0] for problem in read.problems]
    assert reported in ([f"line {first + 2}"], [f"line {first + 2}", f"line {last + 2}"])


def test_a_field_may_have_lines_with_commas() -> None:
    bio = "He painted, drew, etched, carved, wrote, and taught,\nin Paris, Rome, Ghent, Basel, Ulm, Bern"
    (row,) = parse_artists_csv(text_of([["Ada", "", "", "", bio, "https://a.example/"]]).encode()).rows
    assert row.fields["bio"] == bio


def test_a_repeated_column_is_refused() -> None:
    with pytest.raises(Invalid, match="several columns of the name name"):
        parse_artists_csv(f"{','.join(COLUMNS)},name\n".encode())


@pytest.mark.parametrize("end", ["", ",", ",,"])
def test_every_row_may_have_empty_fields_beyond_the_columns(end: str) -> None:
    header, *lines = text_of(ROWS).splitlines()
    read = parse_artists_csv("\n".join([header, *(line + end for line in lines)]).encode())
    assert len(read.rows) == len(ROWS) and not read.problems


@pytest.mark.parametrize("word", ["NA", "nan", "N/A", "None", "null", " - ", "?"])
def test_words_for_a_missing_value_are_no_value(word: str) -> None:
    (row,) = parse_artists_csv(text_of([["NA", *[word] * 5]]).encode()).rows
    assert row.fields == {"name": "NA", **dict.fromkeys(COLUMNS[1:], "")}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" https://en.wikipedia.org/wiki/C ", "https://en.wikipedia.org/wiki/C"),
        ("HTTPS://en.wikipedia.org/wiki/C", "https://en.wikipedia.org/wiki/C"),
        ("en.wikipedia.org/wiki/C", "https://en.wikipedia.org/wiki/C"),
        ("javascript:alert(1)", ""),
        ("https://user@en.wikipedia.org/", ""),
        ("ftp://en.wikipedia.org/", ""),
        ("see Wikipedia", ""),
    ],
)
def test_links_are_web_addresses_or_reported(given: str, kept: str) -> None:
    read = parse_artists_csv(text_of([["Ada", "", "", "", "", given]]).encode())
    assert read.rows[0].fields["wikipedia"] == kept and len(read.problems) == (not kept)


def test_hidden_characters_are_left_out() -> None:
    """Those of a name are left out later: in "MartÃ\xadnez", one is half of a letter."""
    (row,) = parse_artists_csv(text_of([["", "", "a\x0bb", "", "x\x1b[3m\ny\u202e\u200b", ""]]).encode()).rows
    assert (row.fields["genre"], row.fields["bio"]) == ("a b", "x[3m\ny")


@pytest.mark.parametrize("data", [b"\xff\xfe\0", b"", b"name;years;genre\nA;1;2\n", b"name,years\nA,1\n"])
def test_a_file_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"it is not UTF-8|it lacks "):
        parse_artists_csv(data)


def test_line_ends_and_a_byte_order_mark_do_not_matter() -> None:
    text = text_of(ROWS)
    for end in ("\n", "\r\n", "\r"):
        assert names(b"\xef\xbb\xbf" + text.replace("\n", end).encode()) == [row[0] for row in ROWS]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("1,571 - 1,610", (1571, 1610)),
        ("1 571 - 1 610", (1571, 1610)),
        ("1\u202f571", (1571, None)),
        ("1901-12", (1901, None)),
        ("384 BC – 322 BC", (None, None)),
        ("1920 - 1884", (None, None)),
        ("1571 610", (None, None)),
        ("1571 610 - 1650", (None, None)),
        ("1490 or 1488 - 1576", (1490, 1576)),
        ("1884/1920", (1884, 1920)),
        ("1884 1920", (1884, 1920)),
        ("1853 bis 1890", (1853, 1890)),
        ("1853 ~ 1890", (1853, 1890)),
    ],
)
def test_years_as_people_write_them(text: str, years: tuple[int | None, int | None]) -> None:
    assert parse_years(text) == years


@given(st.text("0123456789 -–/~,.c", max_size=30))
def test_a_death_is_never_before_the_birth(text: str) -> None:
    birth, death = parse_years(text)
    assert birth is None or death is None or 15 <= death - birth <= 120


def test_a_list_as_python_writes_it() -> None:
    assert parse_list("['Impressionism', 'Landscape']") == ("Impressionism", "Landscape")
    assert parse_list('["L\'Art Nouveau", "Pop Art"]') == ("L'Art Nouveau", "Pop Art")
