"""Searches: by words in the address, by any mix in a body, and by a work."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for

from gallery.errors import Invalid
from gallery.models import Build
from gallery.search.engine import SearchResult
from serving.api.caching import answer, cached
from serving.api.cursors import cursor, start_of
from serving.api.inputs import (
    FormFields,
    Mixture,
    Narrowing,
    Nothing,
    SearchForm,
    SearchParameters,
    Shaped,
    Source,
)
from serving.api.mistakes import read_json, read_values
from serving.api.operations import get, post
from serving.api.outputs import Contribution, Found, Question, Result, TokenAgain, Work, WorkAgain
from serving.composer import Card, cards_of, mix_of, sentence_of
from serving.errors import Rejected
from serving.query import FARTHEST, FIELDS, LONGEST, MOST, Asked, Kind, Query
from serving.site import site
from serving.uploads import FIELD, looked_at

TAG = "Search"
JSON, MULTIPART, URLENCODED = "application/json", "multipart/form-data", "application/x-www-form-urlencoded"
PARTS: dict[Kind, str] = {"q": "words", "not": "avoid", "pic": "picture", "like": "like", "less": "less"}
"""The names of parts in answers."""


@get("/search", TAG, Found, SearchParameters, 404, 410, 503)
def by_words(asked: SearchParameters) -> Response:
    """Works that words describe.

    The words are looked for in the pictures, and in the names, genres and nationalities of their artists. The address
    of a page of the site works here too: put `/api/v1/search` before its `?`, unless it has an uploaded picture.
    """
    query = Query.parse(asked.values(), site().settings)
    build = site().live()
    return cached(build, lambda: _ready(query, asked.cursor))


@post("/search", TAG, Found, {JSON: Mixture, MULTIPART: SearchForm, URLENCODED: FormFields}, 404, 410, 503)
def by_mix(_: Nothing) -> Response:
    """Works that are like any mix of words, pictures and works.

    Send JSON, or a form where there are files of pictures. Pictures are not kept: the answer's `query` has a token for
    each, which stands for it in later searches.
    """
    asked, sources = _sent()
    site().ready()
    values = asked.values()
    for source in sources:
        values.add("pic", _token(source))
        values.add("picw", f"{source.weight:.2f}")
    query = Query.parse(values, site().settings)
    if not query.parts:
        raise Rejected("There is nothing to search for. Give words, a picture, or works to be like.")
    return answer(_ready(query, asked.cursor)[1])


@get("/works/<id>/similar", TAG, Found, Shaped, 404, 410, 503)
def similar(asked: Shaped, id: str) -> Response:
    """Works that are like a work."""
    query = Query.parse(asked.values(), site().settings).with_part("like", id)
    build = site().live()
    site().engine.work(id)  # a work that has left the collection is not found, whatever the client has of it
    return cached(build, lambda: _ready(query, asked.cursor))


def _sent() -> tuple[Mixture | SearchForm | FormFields, Sequence[Source]]:
    if request.mimetype == JSON:
        mixture = read_json(Mixture, request.get_data())
        return mixture, mixture.sources()
    if request.mimetype == URLENCODED:
        return read_values(FormFields, request.form), ()
    if request.mimetype == MULTIPART:
        return _form()
    raise Rejected(f"Send {JSON} or {MULTIPART}, and say so in Content-Type.", 415)


def _form() -> tuple[SearchForm, Sequence[Source]]:
    form = read_values(SearchForm, request.form)
    if form.picture:
        raise Rejected("Send a picture as a file, with a name: the field “picture” came as text.")
    if others := set(request.files) - {FIELD}:
        raise Rejected(
            f"There is no such file field; send pictures as “{FIELD}”, not as {len(others)} others."
        )
    files = [file.stream.read() for file in request.files.getlist(FIELD) if file.filename]
    if len(files) > MOST["pic"]:
        raise Rejected(f"A search takes up to {MOST['pic']} pictures.")
    return form, form.sources(files)


def _token(source: Source) -> str:
    """The token of a picture, one for every kind of source. Raises Rejected: 410 for a token that is good no more."""
    here = site()
    if source.token is not None:
        try:
            here.tokens.read(source.token, here.live().fingerprint)
        except Rejected as error:
            raise Rejected(str(error), 410) from error
        return source.token
    data = source.data
    if data is None:
        data = here.services.images.get(here.engine.work(source.work or "").image.large)
    return here.tokens.write(looked_at(here, data, source.box))


def _ready(query: Query, after: str | None) -> tuple[Build, Found]:
    """What the query finds from the cursor on, and the build it was found in."""
    here, build = site(), site().ready()
    cards = cards_of(here, query, build)
    question = _question(query, cards)
    query = dataclasses.replace(query, start=start_of(after, build.name, question))
    k = query.k or here.settings.default_results
    try:
        found = here.engine.search(mix_of(query, cards), k, query.start)
    except Rejected:
        raise
    except Invalid as error:
        raise Rejected("The parts of this search cancel each other out. Change one of them.") from error
    if after and found.build.name != build.name:  # published since the cursor was looked at
        start_of(after, found.build.name, question)
    names = {slug: painter.artist.name for slug, painter in here.wall.painters(found.build).items()}
    going_on = found.next is not None and found.next <= FARTHEST
    page = query.at(0).href
    told = Found(
        query=_told(query),
        sentence=sentence_of(query, cards, names),
        build=found.build.name,
        k=k,
        encoder=found.encoder,
        generated=found.build.generated,
        searched=found.searched,
        seconds=round(found.seconds, 4),
        results=tuple(_result(match, cards) for match in found.hits),
        next_cursor=cursor(found.build.name, question, found.next or 0) if going_on else None,
        page=url_for("search.page", **query.at(0).params, _external=True) if len(page) <= LONGEST else None,
    )
    return found.build, told


def _question(query: Query, cards: Sequence[Card]) -> dict[str, Any]:
    """What a cursor belongs to: the query, with pictures by what they are, since each upload has a token of its own."""
    params = {name: value for name, value in query.params.items() if name not in ("k", "start")}
    pictures = [card.upload.part.vector.tobytes() for card in cards if card.upload]
    return params | {"pic": [hashlib.blake2b(vector, digest_size=8).hexdigest() for vector in pictures]}


def _told(query: Query) -> Question:
    def only(kind: Kind) -> Asked | None:
        return next(iter(query.of(kind)), None)

    words, avoid = only("q"), only("not")
    filters = {name: getattr(query.where, attribute) for name, attribute in FIELDS.items()}
    return Question(
        words=words.value if words else None,
        words_weight=words.weight if words else 1.0,
        avoid=avoid.value if avoid else None,
        avoid_weight=avoid.weight if avoid else 1.0,
        pictures=tuple(TokenAgain(token=part.value, weight=part.weight) for part in query.of("pic")),
        like=tuple(WorkAgain(id=part.value, weight=part.weight) for part in query.of("like")),
        less=tuple(WorkAgain(id=part.value, weight=part.weight) for part in query.of("less")),
        filters=Narrowing.model_validate(
            {name: list(value) if isinstance(value, tuple) else value for name, value in filters.items()}
        ),
        each=query.each,
    )


def _result(match: SearchResult, cards: Sequence[Card]) -> Result:
    return Result(
        **Work.facts(match.artwork),  # type: ignore[arg-type]
        score=match.score,
        relevance=match.relevance,
        z_score=None if match.z_score is None else round(match.z_score, 2),
        weak=match.weak,
        matched_terms=match.matched_terms,
        contributions=tuple(
            Contribution(
                part=PARTS[card.asked.kind],
                place=card.place,
                likeness=contribution.likeness,
                delta=contribution.delta,
            )
            for card, contribution in zip(cards, match.contributions, strict=False)
        ),
    )
