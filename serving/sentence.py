"""A query said in a sentence: "“a stormy sea”, less like a work by Claude Monet, by French painters, 1860–1900".

Each phrase is translated whole; names, words and years are put into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext, ngettext, pgettext

from serving.language import all_of, any_of, number
from serving.query import Asked, Query


def said(query: Query, artists: Mapping[str, str], works: Mapping[str, str]) -> str:
    """The query for people, without a capital or a full stop; "" for one that asks for nothing.

    `artists` gives the name of an artist by slug, `works` that of a work's artist by the work's id.
    """
    between = pgettext("between the parts of a search", ", ")
    return between.join((*_parts(query, works), *_filters(query, artists)))


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def _parts(query: Query, works: Mapping[str, str]) -> list[str]:
    said = [_weighed(gettext("“%(words)s”", words=part.value), part) for part in query.of("q")]
    pictures = query.of("pic")
    if pictures:
        phrase = ngettext("like your picture", "like your %(num)s pictures", len(pictures))
        said.append(phrase if len(pictures) > 1 else _weighed(phrase, pictures[0]))
    said += [_weighed(gettext("not “%(words)s”", words=part.value), part) for part in query.of("not")]
    if like := query.of("like"):
        said.append(gettext("like %(works)s", works=_works(like, works)))
    if less := query.of("less"):
        said.append(gettext("less like %(works)s", works=_works(less, works)))
    return said


def _weighed(phrase: str, part: Asked) -> str:
    if part.weight == 1:
        return phrase
    return gettext("%(phrase)s (weight %(weight)s)", phrase=phrase, weight=number(part.weight))


def _works(parts: Sequence[Asked], works: Mapping[str, str]) -> str:
    counts: dict[str, int] = {}
    for part in parts:
        name = works.get(part.value, "")
        counts[name] = counts.get(name, 0) + 1
    return all_of([_by(name, count) for name, count in counts.items()])


def _by(name: str, count: int) -> str:
    if name:
        return ngettext("a work by %(artist)s", "%(num)s works by %(artist)s", count, artist=name)
    return ngettext("a work", "%(num)s works", count)


def _filters(query: Query, artists: Mapping[str, str]) -> list[str]:
    where = query.where
    said = []
    if where.artists:
        painters = any_of([artists.get(slug, slug) for slug in where.artists])
        said.append(gettext("by %(painters)s", painters=painters))
    if where.nationalities:
        said.append(gettext("by %(nationality)s painters", nationality=any_of(where.nationalities)))
    if where.styles:
        said.append(gettext("of %(genre)s", genre=any_of(where.styles)))
    if where.active_from is not None and where.active_to is not None:
        said.append(
            gettext("by painters alive %(first)s–%(last)s", first=where.active_from, last=where.active_to)
        )
    elif where.active_from is not None:
        said.append(gettext("by painters alive in %(year)s or later", year=where.active_from))
    elif where.active_to is not None:
        said.append(gettext("by painters alive in %(year)s or before", year=where.active_to))
    if where.exclude_artists:
        painters = any_of([artists.get(slug, slug) for slug in where.exclude_artists])
        said.append(gettext("not by %(painters)s", painters=painters))
    if query.each and query.parts:
        said.append(ngettext("at most one by each painter", "at most %(num)s by each painter", query.each))
    return said
