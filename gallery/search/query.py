"""`SearchQuery`: a search as one value, from the parsed request to the store.

Pages, API and command line each build a SearchQuery from their input, pass it through `checked(query,
settings)`, and hand the result unchanged to `SearchEngine.search(collection, query)`. Only `checked` enforces
the limits; it raises `InvalidQuery`, which names the field. `serving.query` reads a query from an address and
writes it back.
"""

from __future__ import annotations

import base64
import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from gallery.errors import Invalid
from gallery.models import MAX_VALUE_CHARS
from gallery.settings import Settings
from gallery.vectors.base import Vector, Vectors
from gallery.vectors.filters import EVERYTHING, Filter

Kind = Literal["text", "exclude", "image", "like", "unlike"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of terms, in the order of `checked`: words to find, words to leave out, images, works that
results should be like, and works that they should be unlike."""

DEFAULT_LIMIT = 24
MAX_IMAGES = 3
"""Images per search; more tokens do not fit into an address."""
MAX_WORKS = 12
"""Works per kind of term, "like" or "unlike"; a page cannot show more of them well."""
MIN_WEIGHT, MAX_WEIGHT = 0.05, 10.0
"""Bounds of a weight's absolute value; the default is 1."""
MAX_FILTER_VALUES = 20
"""Values per filter."""
MAX_OFFSET = 100_000
"""Largest number of results to skip."""
MAX_YEAR = 9999

CANCELLED = 1e-4
"""Terms cancel each other out if their sum is shorter than this share of the sum of their lengths."""


class InvalidQuery(Invalid):
    """A search that breaks a limit.

    `field` is the address parameter at fault, such as "q" or "style". `template` is the message with named
    placeholders and `values` are the placeholders' values, so that pages can translate the message.
    """

    def __init__(self, at: str, template: str, **values: float | str) -> None:
        super().__init__(template % values)
        self.field = at
        self.template = template
        self.values = values


@dataclass(frozen=True)
class TextTerm:
    """Words that describe an image, or name its artist, style or nationality."""

    text: str
    weight: float = 1.0

    @property
    def kind(self) -> Kind:
        """Return "text", or "exclude" for a weight below zero."""
        return "text" if self.weight > 0 else "exclude"


@dataclass(frozen=True)
class WorkTerm:
    """A work of the collection."""

    id: str
    weight: float = 1.0

    @property
    def kind(self) -> Kind:
        """Return "like", or "unlike" for a weight below zero."""
        return "like" if self.weight > 0 else "unlike"


@dataclass(frozen=True)
class Preview:
    """A small WebP copy of an uploaded image, for display; `width` and `height` are in pixels."""

    webp: bytes
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """Return the copy as a data: URI."""
        return "data:image/webp;base64," + base64.b64encode(self.webp).decode("ascii")


@dataclass(frozen=True, eq=False)
class ImageTerm:
    """An image from outside the collection, encoded.

    `vector` is float32 [dim] of unit length, from the encoder with this `fingerprint`. `token` represents the
    image in addresses and in the API (`serving.tokens`); it is "" if none was made.
    """

    vector: Vector = field(repr=False)
    fingerprint: str
    weight: float = 1.0
    token: str = field(default="", repr=False)
    preview: Preview | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        """Return "image"."""
        return "image"


Term = TextTerm | WorkTerm | ImageTerm


@dataclass(frozen=True)
class SearchQuery:
    """What to search for, in which works, and which of the results to return.

    A term with a weight below zero moves the search away from it. Without terms, pages list the works that
    pass the filter `where`. `per_artist` is the largest number of results by one artist, None for no limit.
    `limit` and `offset` choose the results to return.
    """

    terms: tuple[Term, ...] = ()
    where: Filter = EVERYTHING
    per_artist: int | None = None
    limit: int = DEFAULT_LIMIT
    offset: int = 0

    @property
    def text(self) -> str:
        """Return the words to find, for vector and full-text search; "" if there are none."""
        return " ".join(term.text for term in self.terms if isinstance(term, TextTerm) and term.weight > 0)

    @property
    def works(self) -> frozenset[str]:
        """Return the ids of the works among the terms; a search never returns these."""
        return frozenset(term.id for term in self.terms if isinstance(term, WorkTerm))

    def of(self, *kinds: Kind) -> tuple[Term, ...]:
        """Return the terms of these kinds."""
        return tuple(term for term in self.terms if term.kind in kinds)

    def with_term(self, term: Term) -> SearchQuery:
        """Return this query with one more term and offset 0."""
        terms = sorted((*self.terms, term), key=lambda term: KINDS.index(term.kind))
        return dataclasses.replace(self, terms=tuple(terms), offset=0)

    def at(self, offset: int) -> SearchQuery:
        """Return this query with another offset."""
        return dataclasses.replace(self, offset=offset)


def checked(query: SearchQuery, settings: Settings) -> SearchQuery:
    """Return the query with clean text, no repeated values, and terms in the order of `KINDS`.

    A work that results should be both like and unlike counts as unlike. Raises InvalidQuery if a limit is
    broken.
    """
    _check_range("per_artist", query.per_artist, settings.max_results)
    _check_range("limit", query.limit, settings.max_results)
    if not 0 <= query.offset <= MAX_OFFSET:
        raise bad_offset()
    terms = [_checked_term(term, settings.max_query) for term in query.terms]
    unlike = {term.id for term in terms if isinstance(term, WorkTerm) and term.weight < 0}
    unique: dict[tuple[Kind, object], Term] = {}
    for term in terms:
        if term and not (isinstance(term, WorkTerm) and term.weight > 0 and term.id in unlike):
            unique.setdefault((term.kind, _identity(term)), term)
    ordered = sorted(unique.values(), key=lambda term: KINDS.index(term.kind))
    _check_counts(ordered)
    return dataclasses.replace(query, terms=tuple(ordered), where=_checked_filter(query.where))


def combine(vectors: Vectors, weights: Sequence[float], deviations: Sequence[float]) -> Vector:
    """Combine the terms' vectors, float32 [terms, dim], into one query vector, float32 [dim] of unit length:

        q = unit( Σ wᵢ · uᵢ / σᵢ )

    uᵢ is the unit vector of term i, wᵢ its weight, below zero to move away, and σᵢ the standard deviation of
    its scores over the collection. Moving a query towards some examples and away from others is Rocchio's
    relevance feedback (J. J. Rocchio, "Relevance feedback in information retrieval", in G. Salton (ed.), The
    SMART Retrieval System, 1971). The division by σᵢ is an addition: most encoders score text and images on
    different scales, and dividing lets terms of equal weight affect the order of the results equally. Raises
    InvalidQuery if the terms cancel each other out.
    """
    shares = np.asarray(weights, dtype=np.float64) / np.asarray(deviations, dtype=np.float64)
    total = (shares[:, None] * vectors).sum(axis=0)
    length = float(np.linalg.norm(total))
    if length <= CANCELLED * float(np.abs(shares).sum()):
        raise InvalidQuery("", "The parts of this search cancel each other out. Change one of them.")
    return np.asarray(total / length, dtype=np.float32)


def clean_text(text: str, field: str) -> str:
    """Return the text with single spaces only. Raises InvalidQuery if it has control characters."""
    # Check before the split below, which treats some control characters as whitespace.
    text = re.sub(r"[\t\r\n\v\f\x85\u2028\u2029]", " ", text)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidQuery(field, "Your search contains characters we can’t read. Please type it again.")
    return " ".join(text.split())


def parameter(kind: Kind) -> str:
    """Return the address parameter for terms of this kind."""
    return "q" if kind == "text" else kind


def bad_weight(field: str) -> InvalidQuery:
    """Return the error for a weight that is not a number or out of bounds."""
    return InvalidQuery(
        field, "A weight must be a number from %(min)s to %(max)s.", min=MIN_WEIGHT, max=MAX_WEIGHT
    )


def bad_count(field: str, most: int) -> InvalidQuery:
    """Return the error for a limit or `per_artist` that is not a number or out of bounds."""
    return InvalidQuery(field, "“%(field)s” must be a whole number from 1 to %(max)s.", field=field, max=most)


def bad_offset() -> InvalidQuery:
    """Return the error for an offset that is not a number or out of bounds."""
    return InvalidQuery("offset", "“offset” must be a whole number from 0 to %(max)s.", max=MAX_OFFSET)


def bad_year(field: str) -> InvalidQuery:
    """Return the error for a year that is not a number or out of bounds."""
    return InvalidQuery(field, "A year must be a number such as 1850.")


def _checked_term(term: Term, max_text: int) -> Term | None:
    """Return the term cleaned; None if it has no text or id."""
    name = parameter(term.kind)
    weight = round(term.weight, 2)
    if not MIN_WEIGHT <= (weight if isinstance(term, ImageTerm) else abs(weight)) <= MAX_WEIGHT:
        raise bad_weight(f"{name}_weight")
    if isinstance(term, TextTerm):
        if len(term.text) > max_text:
            raise InvalidQuery(
                name,
                "Please use %(limit)s characters or fewer (you have %(length)s).",
                length=len(term.text),
                limit=max_text,
            )
        text = unicodedata.normalize("NFC", clean_text(term.text, name))
        return TextTerm(text, weight) if text else None
    if isinstance(term, WorkTerm):
        if len(term.id) > MAX_VALUE_CHARS:
            raise InvalidQuery(name, "A work’s id has at most %(max)s characters.", max=MAX_VALUE_CHARS)
        id = clean_text(term.id, name)
        return WorkTerm(id, weight) if id else None
    return dataclasses.replace(term, weight=weight)


def _identity(term: Term) -> object:
    if isinstance(term, ImageTerm):
        return term.token or id(term)
    return term.text if isinstance(term, TextTerm) else term.id


def _check_counts(terms: Sequence[Term]) -> None:
    for kind in KINDS:
        count = sum(term.kind == kind for term in terms)
        if kind == "image" and count > MAX_IMAGES:
            raise InvalidQuery(
                kind, "A search takes up to %(max)s images. Remove one of them.", max=MAX_IMAGES
            )
        if kind in ("like", "unlike") and count > MAX_WORKS:
            raise InvalidQuery(
                kind,
                "A search takes up to %(max)s similar works, and as many dissimilar ones. Remove one.",
                max=MAX_WORKS,
            )
        if kind in ("text", "exclude") and count > 1:
            raise InvalidQuery(parameter(kind), "A search takes one text to find and one to leave out.")


def _checked_filter(where: Filter) -> Filter:
    years = {"active_from": where.active_from, "active_to": where.active_to}
    for name, year in years.items():
        if year is not None and not 0 <= year <= MAX_YEAR:
            raise bad_year(name)
    if where.active_from is not None and where.active_to is not None and where.active_from > where.active_to:
        raise InvalidQuery(
            "active_from",
            "The years are the wrong way round: from %(first)s to %(last)s.",
            first=str(where.active_from),
            last=str(where.active_to),
        )
    return Filter(
        artists=_checked_values("artist", where.artists),
        exclude_artists=_checked_values("exclude_artist", where.exclude_artists),
        styles=_checked_values("style", where.styles),
        nationalities=_checked_values("nationality", where.nationalities),
        **years,
    )


def _checked_values(name: str, values: Iterable[str]) -> tuple[str, ...]:
    cleaned = [value for value in dict.fromkeys(clean_text(value, name) for value in values) if value]
    if len(cleaned) > MAX_FILTER_VALUES or any(len(value) > MAX_VALUE_CHARS for value in cleaned):
        raise InvalidQuery(
            name,
            "“%(field)s” takes at most %(max)s values of up to %(chars)s characters.",
            field=name,
            max=MAX_FILTER_VALUES,
            chars=MAX_VALUE_CHARS,
        )
    return tuple(cleaned)


def _check_range(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise bad_count(name, most)
