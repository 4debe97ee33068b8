"""A query said in a sentence: "“a stormy sea”, less like a work by Claude Monet, by French painters, 1860–1900"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from serving.query import Asked, Query


def said(query: Query, artists: Mapping[str, str], works: Mapping[str, str]) -> str:
    """The query for people, without a capital or a full stop; "" for one that asks for nothing.

    `artists` gives the name of an artist by slug, `works` that of a work's artist by the work's id.
    """
    return ", ".join(part for part in (*_parts(query, works), *_filters(query, artists)) if part)


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def _parts(query: Query, works: Mapping[str, str]) -> list[str]:
    said = [f"“{part.value}”{_weight(part)}" for part in query.of("q")]
    pictures = query.of("pic")
    if len(pictures) == 1:
        said.append(f"like your picture{_weight(pictures[0])}")
    elif pictures:
        said.append(f"like your {len(pictures)} pictures")
    said += [f"not “{part.value}”{_weight(part)}" for part in query.of("not")]
    said.append(_likes("like", query.of("like"), works))
    said.append(_likes("less like", query.of("less"), works))
    return said


def _weight(part: Asked) -> str:
    return "" if part.weight == 1 else f" (weight {part.weight:g})"


def _likes(start: str, parts: Sequence[Asked], works: Mapping[str, str]) -> str:
    names: dict[str, int] = {}
    for part in parts:
        name = works.get(part.value, "")
        names[name] = names.get(name, 0) + 1
    items = [
        f"{'a work' if count == 1 else f'{count} works'}{f' by {name}' if name else ''}"
        for name, count in names.items()
    ]
    return f"{start} {_joined(items, 'and')}" if items else ""


def _filters(query: Query, artists: Mapping[str, str]) -> list[str]:
    where = query.where
    said = []
    if where.artists:
        said.append("by " + _joined([artists.get(slug, slug) for slug in where.artists], "or"))
    if where.nationalities:
        said.append(f"by {_joined(where.nationalities, 'or')} painters")
    if where.genres:
        said.append(f"of {_joined(where.genres, 'or')}")
    if where.since is not None and where.until is not None:
        said.append(f"by painters alive {where.since}–{where.until}")
    elif where.since is not None:
        said.append(f"by painters alive in {where.since} or later")
    elif where.until is not None:
        said.append(f"by painters alive in {where.until} or before")
    if where.without_artists:
        said.append("not by " + _joined([artists.get(slug, slug) for slug in where.without_artists], "or"))
    if query.each and query.parts:
        said.append(f"at most {query.each} by each painter")
    return said


def _joined(items: Sequence[str], word: str) -> str:
    *first, last = items
    return f"{', '.join(first)} {word} {last}" if first else last
