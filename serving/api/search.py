"""Searches: by words in the address, by any mix in a body, and by a work."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for

from gallery.search.engine import SearchResult
from gallery.search.query import (
    MAX_IMAGES,
    MAX_OFFSET,
    ImageTerm,
    Kind,
    SearchQuery,
    TextTerm,
    WorkTerm,
    checked,
)
from gallery.vectors.base import Collection
from serving.api.caching import answer, cached
from serving.api.cursors import cursor, start_of
from serving.api.request_models import (
    Filters,
    FormFields,
    NoParams,
    SearchBody,
    SearchForm,
    SearchParameters,
    SimilarParameters,
    Source,
)
from serving.api.response_models import (
    ImageRef,
    Result,
    SearchEcho,
    SearchResponse,
    TermContribution,
    Work,
    WorkRef,
)
from serving.api.routing import get, post
from serving.api.validation import read_json, read_values
from serving.context import live_collection, ready_collection, state
from serving.describe import ResolvedTerm, describe, resolve_terms
from serving.errors import Rejected
from serving.query import ATTRIBUTES, MAX_ADDRESS_CHARS, href, params
from serving.uploads import FILE_FIELD, encode

TAG = "Search"
JSON, MULTIPART, URLENCODED = "application/json", "multipart/form-data", "application/x-www-form-urlencoded"


@get("/search", TAG, SearchResponse, SearchParameters, 404, 410, 503)
def by_words(asked: SearchParameters) -> Response:
    """Works that words describe.

    The words are looked for in the pictures, and in the names, styles and nationalities of their artists. The address
    of a page of the site works here too: put `/api/v1/search` before its `?`, unless it has an uploaded picture.
    """
    query = asked.query(state().settings)
    return cached(live_collection().build, lambda: _search(query, asked.cursor))


@post(
    "/search",
    TAG,
    SearchResponse,
    {JSON: SearchBody, MULTIPART: SearchForm, URLENCODED: FormFields},
    404,
    410,
    503,
)
def by_mix(_: NoParams) -> Response:
    """Works that are like any mix of words, pictures and works.

    Send JSON, or a form where there are files of pictures. Pictures are not kept: the answer's `query` has a token for
    each, which stands for it in later searches.
    """
    asked, sources = _sent()
    settings = state().settings
    query, collection = asked.query(settings), ready_collection()
    images = tuple(_image(source, collection) for source in sources)
    query = checked(dataclasses.replace(query, terms=query.terms + images), settings)
    if not query.terms:
        raise Rejected("There is nothing to search for. Give words, a picture, or works to be like.")
    return answer(_search(query, asked.cursor))


@get("/works/<id>/similar", TAG, SearchResponse, SimilarParameters, 404, 410, 503)
def similar(asked: SimilarParameters, id: str) -> Response:
    """Works that are like a work."""
    query = asked.query(state().settings).with_term(WorkTerm(id))
    collection = live_collection()
    collection.get(id)  # a work that has left the collection is not found, whatever the client has of it
    return cached(collection.build, lambda: _search(query, asked.cursor))


def _sent() -> tuple[SearchBody | SearchForm | FormFields, Sequence[Source]]:
    if request.mimetype == JSON:
        mixture = read_json(SearchBody, request.get_data())
        return mixture, mixture.sources()
    if request.mimetype == URLENCODED:
        return read_values(FormFields, request.form), ()
    if request.mimetype == MULTIPART:
        return _form()
    raise Rejected(f"Send {JSON} or {MULTIPART}, and say so in Content-Type.", 415)


def _form() -> tuple[SearchForm, Sequence[Source]]:
    form = read_values(SearchForm, request.form)
    if form.image:
        raise Rejected("Send a picture as a file, with a name: the field “image” came as text.")
    if others := set(request.files) - {FILE_FIELD}:
        raise Rejected(
            f"There is no such file field; send pictures as “{FILE_FIELD}”, not as {len(others)} others."
        )
    files = [file.stream.read() for file in request.files.getlist(FILE_FIELD) if file.filename]
    if len(files) > MAX_IMAGES:
        raise Rejected(f"A search takes up to {MAX_IMAGES} pictures.")
    return form, form.sources(files)


def _image(source: Source, collection: Collection) -> ImageTerm:
    """Return the image of any kind of source. Raises Rejected, with 410 for a token that can no longer be used."""
    if source.token is not None:
        try:
            image = state().tokens.read(source.token, collection.build.fingerprint)
        except Rejected as error:
            raise Rejected(str(error), 410) from error
        return dataclasses.replace(image, weight=source.weight)
    data = source.data
    if data is None:
        data = state().services.images.get(collection.get(source.work or "").image.large)
    return encode(collection, data, source.box, source.weight)


def _search(query: SearchQuery, after: str | None) -> SearchResponse:
    """Return the results of the query from the cursor on."""
    collection, app = ready_collection(), state()
    build = collection.build
    terms = resolve_terms(query, collection)
    question = _question(query)
    results = app.engine.search(collection, query.at(start_of(after, build.name, question)))
    has_more = results.next_offset is not None and results.next_offset <= MAX_OFFSET
    values = params(query, app.settings)
    is_short = len(href(query)) <= MAX_ADDRESS_CHARS
    return SearchResponse(
        query=_echo(query),
        sentence=describe(query, terms, app.summary.names(collection)),
        build=build.name,
        limit=query.limit,
        encoder=results.encoder,
        generated=build.generated,
        searched=results.searched,
        seconds=round(results.seconds, 4),
        results=tuple(_result(match, terms) for match in results.hits),
        next_cursor=cursor(build.name, question, results.next_offset or 0) if has_more else None,
        page=url_for("search.page", **values, _external=True) if is_short else None,  # type: ignore[arg-type]
    )


def _question(query: SearchQuery) -> dict[str, Any]:
    """Return what a cursor belongs to: the query, with images by their vectors, since each upload has its own token."""
    values = {
        name: value
        for name, value in params(query, state().settings).items()
        if name not in ("limit", "offset")
    }
    vectors = [term.vector.tobytes() for term in query.terms if isinstance(term, ImageTerm)]
    return values | {"image": [hashlib.blake2b(vector, digest_size=8).hexdigest() for vector in vectors]}


def _echo(query: SearchQuery) -> SearchEcho:
    def text(kind: Kind) -> TextTerm | None:
        return next((term for term in query.of(kind) if isinstance(term, TextTerm)), None)

    def works(kind: Kind) -> tuple[WorkRef, ...]:
        terms = (term for term in query.of(kind) if isinstance(term, WorkTerm))
        return tuple(WorkRef(id=term.id, weight=abs(term.weight)) for term in terms)

    words, excluded = text("text"), text("exclude")
    images = (term for term in query.terms if isinstance(term, ImageTerm))
    filters = {name: list(getattr(query.where, attribute)) for name, attribute in ATTRIBUTES.items()}
    years = {"active_from": query.where.active_from, "active_to": query.where.active_to}
    return SearchEcho(
        q=words.text if words else None,
        q_weight=words.weight if words else 1.0,
        exclude=excluded.text if excluded else None,
        exclude_weight=-excluded.weight if excluded else 1.0,
        images=tuple(ImageRef(token=term.token, weight=term.weight) for term in images),
        like=works("like"),
        unlike=works("unlike"),
        filters=Filters.model_validate({**filters, **years}),
        per_artist=query.per_artist,
    )


def _result(match: SearchResult, terms: Sequence[ResolvedTerm]) -> Result:
    return Result(
        **Work.facts(match.artwork),  # type: ignore[arg-type]
        score=match.score,
        relevance=match.relevance,
        z_score=None if match.z_score is None else round(match.z_score, 2),
        weak=match.weak,
        matched_terms=match.matched_terms,
        contributions=tuple(
            TermContribution(
                part=term.parameter,
                place=term.index,
                likeness=contribution.likeness,
                delta=contribution.delta,
            )
            for term, contribution in zip(terms, match.contributions, strict=False)
        ),
    )
