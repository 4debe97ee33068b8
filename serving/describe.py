"""Searches in words: a description of the whole search, and a label for each term and filter.

Example: "“a stormy sea”, less like a work by Claude Monet, by French artists, by artists active 1860–1900".
Each phrase is translated as a whole; names, words and years are inserted.
"""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext, ngettext, pgettext

from gallery.models import Artwork
from gallery.search.query import ImageTerm, Kind, Preview, SearchQuery, Term, TextTerm, WorkTerm, parameter
from gallery.vectors.base import Collection
from serving.i18n import all_of, any_of, number
from serving.query import ATTRIBUTES, LIST_FIELDS, value_of


@dataclass(frozen=True)
class ResolvedTerm:
    """A term of a search as the pages show it.

    `index` is its index among the terms of its kind, `letter` marks it in the form and in explanations, and
    `work` is the work that a WorkTerm names.
    """

    letter: str
    term: Term
    index: int
    label: str
    work: Artwork | None = None

    @property
    def kind(self) -> Kind:
        """Return the term's kind."""
        return self.term.kind

    @property
    def parameter(self) -> str:
        """Return the term's parameter name."""
        return parameter(self.term.kind)

    @property
    def value(self) -> str:
        """Return the term's parameter value."""
        return value_of(self.term)

    @property
    def weight(self) -> float:
        """Return the absolute value of the term's weight."""
        return abs(self.term.weight)

    @property
    def negative(self) -> bool:
        """Return True if results should not resemble the term."""
        return self.term.weight < 0

    @property
    def preview(self) -> Preview | None:
        """Return the preview of an uploaded image, None for other terms."""
        return self.term.preview if isinstance(self.term, ImageTerm) else None


@dataclass(frozen=True)
class ActiveFilter:
    """A filter value: its label, and the search without it."""

    label: str
    removed: SearchQuery


def resolve_terms(query: SearchQuery, collection: Collection) -> tuple[ResolvedTerm, ...]:
    """Return the terms with their letters, labels and works. Raises NotFound for an unknown work."""
    indexes: dict[Kind, int] = {}
    resolved = []
    letters = string.ascii_uppercase + string.ascii_lowercase
    for letter, term in zip(letters, query.terms, strict=False):
        index = indexes.get(term.kind, 0)
        indexes[term.kind] = index + 1
        work = collection.get(term.id) if isinstance(term, WorkTerm) else None
        resolved.append(ResolvedTerm(letter, term, index, _label(term, work), work))
    return tuple(resolved)


def describe(query: SearchQuery, terms: Sequence[ResolvedTerm], artists: Mapping[str, str]) -> str:
    """Return the query in words, without a capital or a full stop; "" for an empty query.

    `terms` are the query's resolved terms, `artists` the artists' names by slug.
    """
    separator = pgettext("between the parts of a search", ", ")
    return separator.join((*_term_phrases(terms), *_filter_phrases(query, artists)))


def active_filters(query: SearchQuery, artists: Mapping[str, str]) -> tuple[ActiveFilter, ...]:
    """Return one ActiveFilter for each filter value. `artists` has the artists' names by slug."""
    found = []
    for field in LIST_FIELDS:
        attribute = ATTRIBUTES[field]
        values: tuple[str, ...] = getattr(query.where, attribute)
        for value in values:
            label = artists.get(value, value) if field in ("artist", "exclude_artist") else value
            if field == "exclude_artist":
                label = gettext("not by %(artists)s", artists=label)
            found.append(
                ActiveFilter(label, _where(query, attribute, tuple(v for v in values if v != value)))
            )
    first, last = query.where.active_from, query.where.active_to
    if first is not None:
        found.append(
            ActiveFilter(gettext("active from %(year)s", year=first), _where(query, "active_from", None))
        )
    if last is not None:
        found.append(
            ActiveFilter(gettext("active until %(year)s", year=last), _where(query, "active_to", None))
        )
    return tuple(found)


def capitalized(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _where(query: SearchQuery, attribute: str, value: object) -> SearchQuery:
    where = dataclasses.replace(query.where, **{attribute: value})  # type: ignore[arg-type]
    return dataclasses.replace(query, where=where, offset=0)


def _label(term: Term, work: Artwork | None) -> str:
    if isinstance(term, TextTerm):
        return gettext("“%(words)s”", words=term.text)
    return gettext("Work by %(artist)s", artist=work.artist.name) if work else gettext("Your image")


def _term_phrases(terms: Sequence[ResolvedTerm]) -> list[str]:
    of = {
        kind: [term for term in terms if term.kind == kind]
        for kind in ("text", "image", "exclude", "like", "unlike")
    }
    phrases = [_weighted(gettext("“%(words)s”", words=term.value), term) for term in of["text"]]
    if images := of["image"]:
        phrase = ngettext("in the style of your image", "in the style of your %(num)s images", len(images))
        phrases.append(phrase if len(images) > 1 else _weighted(phrase, images[0]))
    phrases += [_weighted(gettext("without “%(words)s”", words=term.value), term) for term in of["exclude"]]
    if like := of["like"]:
        phrases.append(gettext("like %(works)s", works=_works(like)))
    if unlike := of["unlike"]:
        phrases.append(gettext("less like %(works)s", works=_works(unlike)))
    return phrases


def _weighted(phrase: str, term: ResolvedTerm) -> str:
    if term.weight == 1:
        return phrase
    return gettext("%(phrase)s (importance %(weight)s)", phrase=phrase, weight=number(term.weight))


def _works(terms: Sequence[ResolvedTerm]) -> str:
    counts: dict[str, int] = {}
    for term in terms:
        name = term.work.artist.name if term.work else ""
        counts[name] = counts.get(name, 0) + 1
    return all_of([_works_by(name, count) for name, count in counts.items()])


def _works_by(name: str, count: int) -> str:
    if name:
        return ngettext("a work by %(artist)s", "%(num)s works by %(artist)s", count, artist=name)
    return ngettext("a work", "%(num)s works", count)


def _filter_phrases(query: SearchQuery, artists: Mapping[str, str]) -> list[str]:
    where = query.where
    phrases = []
    if where.artists:
        names = any_of([artists.get(slug, slug) for slug in where.artists])
        phrases.append(gettext("by %(artists)s", artists=names))
    if where.nationalities:
        phrases.append(gettext("by %(nationality)s artists", nationality=any_of(where.nationalities)))
    if where.styles:
        phrases.append(gettext("style: %(styles)s", styles=any_of(where.styles)))
    if where.active_from is not None and where.active_to is not None:
        phrases.append(
            gettext("by artists active %(first)s–%(last)s", first=where.active_from, last=where.active_to)
        )
    elif where.active_from is not None:
        phrases.append(gettext("by artists active from %(year)s", year=where.active_from))
    elif where.active_to is not None:
        phrases.append(gettext("by artists active until %(year)s", year=where.active_to))
    if where.exclude_artists:
        names = any_of([artists.get(slug, slug) for slug in where.exclude_artists])
        phrases.append(gettext("not by %(artists)s", artists=names))
    if query.per_artist and query.terms:
        phrases.append(
            ngettext("one result per artist", "up to %(num)s results per artist", query.per_artist)
        )
    return phrases
