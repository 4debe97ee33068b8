"""A search as its address says it: read from the parameters, said in a sentence, and written back into every link."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from flask import url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from gallery.settings import Settings
from gallery.vectors.filters import EVERYTHING, Filter
from serving.errors import Rejected
from serving.language import number

Kind = Literal["q", "not", "pic", "like", "less"]
"""The parts of a search: words, words to avoid, uploaded pictures, and works to be more or less like. Each is a
parameter; its weights are another one, named as it is with a w."""
KINDS: tuple[Kind, ...] = get_args(Kind)
SINGLE = ("q", "not")
"""Kinds of which a search has one at most."""
AWAY = ("not", "less")
"""Kinds that a search moves away from."""
MOST: dict[Kind, int] = {"q": 1, "not": 1, "pic": 3, "like": 12, "less": 12}
"""Parts of a kind: three tokens of pictures are what an address holds, the others more than a page can show well."""

Field = Literal["artist", "genre", "nationality", "notby", "from", "to"]
FIELDS: dict[Field, str] = {
    "artist": "artists",
    "genre": "styles",
    "nationality": "nationalities",
    "notby": "exclude_artists",
    "from": "active_from",
    "to": "active_to",
}
"""Parameter -> attribute of the filter."""
LISTS: tuple[Field, ...] = ("artist", "genre", "nationality", "notby")
YEARS: tuple[Field, ...] = ("from", "to")

MAX_VALUES = 20
"""Values of one filter; more than any page offers to combine."""
MAX_VALUE = 200
"""Characters of one value."""
MAX_TOKEN = 4_000
"""Characters of a picture's token, of which ours have about two thousand."""
LIGHTEST, HEAVIEST = 0.05, 10.0
"""Weights of a part; 1 is what a part has that says nothing of it."""
FARTHEST = 100_000
"""Hits that can be passed over."""
LONGEST = 8_000
"""Characters of an address; gunicorn is told to take 8,190 with the method and the protocol."""


@dataclass(frozen=True)
class Chip:
    """A filter in force: its name for people, and the query without it."""

    label: str
    removed: Query


@dataclass(frozen=True)
class Asked:
    """One part of a search: `value` is words, the token of a picture, or the id of a work."""

    kind: Kind
    value: str
    weight: float = 1.0

    @property
    def signed(self) -> float:
        """The weight, below zero for what the search moves away from."""
        return -self.weight if self.kind in AWAY else self.weight


@dataclass(frozen=True)
class Query:
    """What to search for, through which filter, and how it is shown.

    `parts` come in the order of `KINDS`; none of them is a look at what passes the filter. `k` is the number of works
    on a page, None for the site's own; `each` is how many of one artist's, at most; `start` is how many are passed over.
    """

    parts: tuple[Asked, ...] = ()
    where: Filter = EVERYTHING
    k: int | None = None
    each: int | None = None
    start: int = 0

    @classmethod
    def parse(cls, values: MultiDict[str, str], settings: Settings) -> Query:
        """The query in a request's parameters; unknown ones are passed over. Raises Rejected.

        A `drop` such as "like:0" leaves that part out again, which is how a form's button removes one.
        """
        where: dict[str, Any] = {FIELDS[field]: _list(values, field) for field in LISTS}
        where |= {FIELDS[field]: _year(values, field) for field in YEARS}
        if (
            where["active_from"] is not None
            and where["active_to"] is not None
            and where["active_from"] > where["active_to"]
        ):
            raise Rejected(
                gettext(
                    "The years run backwards: from %(first)s to %(last)s.",
                    first=where["active_from"],
                    last=where["active_to"],
                )
            )
        parts = [part for kind in KINDS for part in _parts(values, kind, settings)]
        avoided = {part.value for part in parts if part.kind == "less"}
        return cls(
            tuple(part for part in parts if not (part.kind == "like" and part.value in avoided)),
            Filter(**where),
            _count(values, "k", settings.max_results, settings.default_results),
            _count(values, "each", settings.max_results),
            _start(values),
        )

    @property
    def words(self) -> str:
        """The words searched for, "" where there are none."""
        return next((part.value for part in self.parts if part.kind == "q"), "")

    def of(self, *kinds: Kind) -> tuple[Asked, ...]:
        """The parts of these kinds."""
        return tuple(part for part in self.parts if part.kind in kinds)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `parse` reads back as this query; what says nothing is left out."""
        params: dict[str, Any] = {}
        for kind in KINDS:
            parts = self.of(kind)
            weights = [f"{part.weight:g}" for part in parts]
            while weights and weights[-1] == "1":
                weights.pop()
            params |= {kind: [part.value for part in parts], f"{kind}w": weights}
        params |= {field: getattr(self.where, attribute) for field, attribute in FIELDS.items()}
        params |= {"each": self.each, "k": self.k, "start": self.start or None}
        return {name: value for name, value in params.items() if value not in ([], (), None)}

    @property
    def href(self) -> str:
        """The address of the page that answers this query."""
        return url_for("search.page", **self.params)

    def checked(self) -> Query:
        """This query, if its address can be sent. Raises Rejected."""
        if len(self.href) > LONGEST:
            raise Rejected(
                gettext(
                    "That is more than an address can hold. Search by fewer pictures at once, or use fewer words."
                )
            )
        return self

    def with_part(self, kind: Kind, value: str) -> Query:
        """This query with one more part, from its first hit on."""
        return self._of_parts((*self.parts, Asked(kind, value)))

    def without_pictures(self) -> Query:
        """This query without the uploaded pictures."""
        return self._of_parts(part for part in self.parts if part.kind != "pic")

    def only(self, field: Field, value: str) -> Query:
        """A look at what one filter lets through."""
        return Query(k=self.k)._with(field, (value,))

    def at(self, start: int) -> Query:
        """This query from another hit on."""
        return dataclasses.replace(self, start=start)

    def chips(self, artists: Mapping[str, str]) -> tuple[Chip, ...]:
        """The filters in force; `artists` gives names for slugs."""
        chips = []
        for field in LISTS:
            values: tuple[str, ...] = getattr(self.where, FIELDS[field])
            for value in values:
                label = artists.get(value, value) if field in ("artist", "notby") else value
                removed = self._with(field, tuple(v for v in values if v != value))
                if field == "notby":
                    label = gettext("not by %(painters)s", painters=label)
                chips.append(Chip(label, removed))
        if self.where.active_from is not None:
            chips.append(
                Chip(gettext("from %(year)s", year=self.where.active_from), self._with("from", None))
            )
        if self.where.active_to is not None:
            chips.append(Chip(gettext("to %(year)s", year=self.where.active_to), self._with("to", None)))
        return tuple(chips)

    def _of_parts(self, parts: Any) -> Query:
        ordered = sorted(parts, key=lambda part: KINDS.index(part.kind))
        return dataclasses.replace(self, parts=tuple(ordered), start=0)

    def _with(self, field: Field, value: object) -> Query:
        where = dataclasses.replace(self.where, **{FIELDS[field]: value})  # type: ignore[arg-type]
        return dataclasses.replace(self, where=where, start=0)


def _clean(text: str) -> str:
    """The text with runs of blanks as single spaces. Raises Rejected for control characters."""
    # Before the split, which would take some control characters for blanks.
    text = re.sub(r"[\t\r\n]", " ", text)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Rejected(gettext("The search holds characters that no keyboard types. Please type it again."))
    return " ".join(text.split())


def _parts(values: MultiDict[str, str], kind: Kind, settings: Settings) -> list[Asked]:
    weights = values.getlist(f"{kind}w")
    dropped = {
        int(place)
        for name, _, place in (drop.partition(":") for drop in values.getlist("drop"))
        if name == kind and re.fullmatch(r"[0-9]{1,3}", place)
    }
    found: dict[str, Asked] = {}
    given = values.getlist(kind)[: 1 if kind in SINGLE else None]
    for place, text in enumerate(given):
        value = _words(text, settings.max_query) if kind in SINGLE else _name(text, kind)
        weight = _weight(weights[place]) if place < len(weights) else 1.0
        if value and place not in dropped:
            found.setdefault(value, Asked(kind, value, weight))
    if len(found) > MOST[kind]:
        if kind == "pic":
            raise Rejected(
                gettext(
                    "A search takes up to %(most)s pictures of a kind. Remove one of them first.",
                    most=MOST[kind],
                )
            )
        raise Rejected(
            gettext(
                "A search takes up to %(most)s works of a kind. Remove one of them first.", most=MOST[kind]
            )
        )
    return list(found.values())


def _words(text: str, limit: int) -> str:
    if len(text) > limit:
        raise Rejected(
            gettext(
                "That is %(length)s characters; a search takes up to %(limit)s. Say it in fewer words.",
                length=number(len(text)),
                limit=number(limit),
            )
        )
    return unicodedata.normalize("NFC", _clean(text))


def _name(text: str, kind: Kind) -> str:
    if len(text) > (MAX_TOKEN if kind == "pic" else MAX_VALUE):
        raise Rejected(
            gettext("A part of this address is too long. It may have been joined to something else.")
        )
    return _clean(text)


def _weight(text: str) -> float:
    if not text.strip():
        return 1.0
    if re.fullmatch(r"\s*[0-9]{1,3}(\.[0-9]{1,6})?\s*", text):
        weight = round(float(text), 2)
        if LIGHTEST <= weight <= HEAVIEST:
            return weight
    raise Rejected(
        gettext(
            "A weight must be a number from %(least)s to %(most)s.",
            least=number(LIGHTEST),
            most=number(HEAVIEST),
        )
    )


def _count(values: MultiDict[str, str], name: str, most: int, usual: int | None = None) -> int | None:
    text = values.get(name)
    if text is None or (text == "" and usual is None):
        return None
    if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= most:
        return None if int(text) == usual else int(text)
    raise Rejected(
        gettext("The number of works must be a whole number from 1 to %(most)s.", most=number(most))
    )


def _start(values: MultiDict[str, str]) -> int:
    text = values.get("start", "0")
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) <= FARTHEST:
        return int(text)
    raise Rejected(
        gettext("The first work must be a whole number from 0 to %(most)s.", most=number(FARTHEST))
    )


def _list(values: MultiDict[str, str], field: Field) -> tuple[str, ...]:
    found: Sequence[str] = [_clean(value) for value in values.getlist(field)]
    found = [value for value in dict.fromkeys(found) if value]
    if len(found) > MAX_VALUES or any(len(value) > MAX_VALUE for value in found):
        raise Rejected(
            gettext(
                "That is too much to filter by: at most %(most)s values for “%(field)s”, none too long.",
                most=MAX_VALUES,
                field=field,
            )
        )
    return tuple(found)


def _year(values: MultiDict[str, str], field: Field) -> int | None:
    text = values.get(field, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise Rejected(gettext("The year “%(field)s” must be a number such as 1850.", field=field))
    return int(text)
