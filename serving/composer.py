"""The parts of a search as the pages show them, looked up once for each request."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext

from gallery.models import Artwork, Build
from gallery.search.query import ImageTerm, SearchQuery, Term, TextTerm, WorkTerm
from serving.query import AWAY, Asked, Query
from serving.sentence import said
from serving.site import Site
from serving.tokens import Upload


@dataclass(frozen=True)
class Card:
    """One part of a search: the letter it goes by, its place among its kind, and the upload or the work it names."""

    letter: str
    asked: Asked
    place: int
    label: str
    upload: Upload | None = None
    work: Artwork | None = None

    @property
    def away(self) -> bool:
        """True where the search moves away from it."""
        return self.asked.kind in AWAY


def cards_of(site: Site, query: Query, build: Build) -> tuple[Card, ...]:
    """The parts of the query. Raises Rejected for a picture that can no longer be used, NotFound for a work."""
    places: dict[str, int] = {}
    cards = []
    for letter, asked in zip(string.ascii_uppercase + string.ascii_lowercase, query.parts, strict=False):
        place = places.get(asked.kind, 0)
        places[asked.kind] = place + 1
        if asked.kind == "pic":
            upload = site.tokens.read(asked.value, build.fingerprint)
            cards.append(Card(letter, asked, place, gettext("Your picture"), upload=upload))
        elif asked.kind in ("like", "less"):
            work = site.engine.work(asked.value)
            label = gettext("A work by %(artist)s", artist=work.artist.name)
            cards.append(Card(letter, asked, place, label, work=work))
        else:
            cards.append(Card(letter, asked, place, gettext("“%(words)s”", words=asked.value)))
    return tuple(cards)


def mix_of(query: Query, cards: tuple[Card, ...]) -> SearchQuery:
    """The query as the engine takes it."""
    return SearchQuery(tuple(_part(card) for card in cards), query.where, query.each)


def sentence_of(query: Query, cards: tuple[Card, ...], artists: Mapping[str, str]) -> str:
    """The query for people; see `serving.sentence.said`."""
    return said(query, artists, {card.work.id: card.work.artist.name for card in cards if card.work})


def _part(card: Card) -> Term:
    weight = card.asked.signed
    if card.upload:
        return ImageTerm(card.upload.part.vector, card.upload.part.fingerprint, weight)
    return WorkTerm(card.work.id, weight) if card.work else TextTerm(card.asked.value, weight)
