"""A search as its address says it: read from the parameters, and written back into every link."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import url_for
from werkzeug.datastructures import MultiDict

from gallery.settings import Settings
from gallery.vectors.filters import EVERYTHING, Filter
from serving.errors import Rejected

Field = Literal["artist", "genre", "nationality", "from", "to"]

FIELDS: dict[Field, str] = {
    "artist": "artists",
    "genre": "genres",
    "nationality": "nationalities",
    "from": "since",
    "to": "until",
}
"""Parameter -> attribute of the filter."""
LISTS: tuple[Field, ...] = ("artist", "genre", "nationality")
YEARS: tuple[Field, ...] = ("from", "to")

MAX_VALUES = 20
"""Values of one filter; more than any page offers to combine."""
MAX_VALUE = 200
"""Characters of one value."""


@dataclass(frozen=True)
class Chip:
    """A filter in force: its name for people, and the query without it."""

    label: str
    removed: Query


@dataclass(frozen=True)
class Query:
    """What to search for; no words for a search by picture, or for looking around without one."""

    words: str
    k: int
    where: Filter = EVERYTHING

    @classmethod
    def parse(cls, values: MultiDict[str, str], settings: Settings) -> Query:
        """The query in a request's parameters; unknown ones are passed over. Raises Rejected."""
        where: dict[str, Any] = {FIELDS[field]: _list(values, field) for field in LISTS}
        where |= {FIELDS[field]: _year(values, field) for field in YEARS}
        if where["since"] is not None and where["until"] is not None and where["since"] > where["until"]:
            raise Rejected(f"The years run backwards: from {where['since']} to {where['until']}.")
        words = _words(values.get("q", ""), settings.max_query)
        return cls(words, _count(values.get("k"), settings), Filter(**where))

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `parse` reads back as this query; the words left out where there are none."""
        params: dict[str, Any] = {"q": self.words, "k": self.k}
        params |= {field: getattr(self.where, attribute) for field, attribute in FIELDS.items()}
        return {name: value for name, value in params.items() if value not in ("", (), None)}

    @property
    def kept(self) -> dict[str, Any]:
        """The filters that have no field of their own in the form, so that its address has to carry them."""
        return {name: value for name, value in self.params.items() if name in LISTS}

    @property
    def href(self) -> str:
        """The address of the page that answers this query."""
        return url_for("search.page", **self.params)

    def narrowed(self, field: Field, value: str) -> Query:
        """This query with one more value of a filter."""
        values: tuple[str, ...] = getattr(self.where, FIELDS[field])
        return self if value in values else self._with(field, (*values, value))

    def only(self, field: Field, value: str) -> Query:
        """A look at what one filter lets through, without words."""
        return Query("", self.k)._with(field, (value,))

    def chips(self, artists: Mapping[str, str]) -> tuple[Chip, ...]:
        """The filters in force; `artists` gives names for slugs."""
        chips = []
        for field in LISTS:
            values: tuple[str, ...] = getattr(self.where, FIELDS[field])
            for value in values:
                label = artists.get(value, value) if field == "artist" else value
                chips.append(Chip(label, self._with(field, tuple(v for v in values if v != value))))
        for field in YEARS:
            year = getattr(self.where, FIELDS[field])
            if year is not None:
                chips.append(Chip(f"{field} {year}", self._with(field, None)))
        return tuple(chips)

    def _with(self, field: Field, value: object) -> Query:
        where = dataclasses.replace(self.where, **{FIELDS[field]: value})  # type: ignore[arg-type]
        return dataclasses.replace(self, where=where)


def _clean(text: str, what: str) -> str:
    """The text with runs of blanks as single spaces. Raises Rejected for control characters."""
    # Before the split, which would take some control characters for blanks.
    text = re.sub(r"[\t\r\n]", " ", text)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Rejected(f"The {what} holds characters that no keyboard types. Please type it again.")
    return " ".join(text.split())


def _words(text: str, limit: int) -> str:
    if len(text) > limit:
        raise Rejected(
            f"That is {len(text):,} characters; a search takes up to {limit:,}. Say it in fewer words."
        )
    return unicodedata.normalize("NFC", _clean(text, "search"))


def _count(text: str | None, settings: Settings) -> int:
    if text is None:
        return settings.default_results
    if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= settings.max_results:
        return int(text)
    raise Rejected(f"The number of works must be a whole number from 1 to {settings.max_results}.")


def _list(values: MultiDict[str, str], field: Field) -> tuple[str, ...]:
    found: Sequence[str] = [_clean(value, field) for value in values.getlist(field)]
    found = [value for value in dict.fromkeys(found) if value]
    if len(found) > MAX_VALUES or any(len(value) > MAX_VALUE for value in found):
        raise Rejected(
            f"That is too much to filter by: at most {MAX_VALUES} values for {field}, none too long."
        )
    return tuple(found)


def _year(values: MultiDict[str, str], field: Field) -> int | None:
    text = values.get(field, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise Rejected(f"The year “{field}” must be a number such as 1850.")
    return int(text)
