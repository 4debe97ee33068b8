"""Searches: by text, by a combination of terms in the body, and by a work."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin

from flask import Response, request

from gallery.search.engine import SearchResult
from gallery.search.query import MAX_IMAGES, MAX_OFFSET, ImageTerm, SearchQuery, WorkTerm, checked
from gallery.text import printable
from serving.api.caching import answer, cached
from serving.api.cursors import cursor, offset_of
from serving.api.request_models import (
    NoParams,
    SearchBody,
    SearchForm,
    SearchParameters,
    SimilarParameters,
    UploadForm,
)
from serving.api.response_models import ResultItem, SearchResponse, TermContribution
from serving.api.routing import operation
from serving.api.validation import MAX_NAME_CHARS, read_json, read_values
from serving.client_address import root_url
from serving.context import live_collection, ready_collection, state
from serving.describe import ResolvedTerm, describe, resolve_terms
from serving.errors import FieldError, Rejected
from serving.query import MAX_ADDRESS_CHARS, href
from serving.uploads import FILE_FIELD

TAG = "Search"
JSON, MULTIPART, URLENCODED = "application/json", "multipart/form-data", "application/x-www-form-urlencoded"


@operation("GET", "/search", TAG, SearchResponse, SearchParameters, 404, 410, 503)
def search_by_text(asked: SearchParameters) -> Response:
    """Search by text.

    The text is compared with the images, and with the names, styles and nationalities of the artists.
    Parameters are those of the site's own pages: to get a page's results as JSON, put `/api/v1/search` before
    its `?`. This does not work for pages with an uploaded image.
    """
    query = asked.query(state().settings)
    return cached(live_collection().build, lambda: _search(query, asked.cursor))


@operation(
    "POST", "/search", TAG, SearchResponse, NoParams, 404, 410, 413, 415, 503,
    bodies={JSON: SearchBody, MULTIPART: UploadForm, URLENCODED: SearchForm},
)  # fmt: skip
def search(_: NoParams) -> Response:
    """Search by text, images and works.

    Send JSON, or a form with image files. Images are not stored. `query` in the response has a token for each
    image, for later searches.
    """
    settings, asked = state().settings, _read_body()
    query, collection = asked.query(settings), ready_collection()
    images: tuple[ImageTerm, ...] = ()
    if isinstance(asked, SearchBody):
        images = asked.image_terms(collection)
    elif isinstance(asked, UploadForm):
        images = asked.image_terms(_files(), collection)
    query = checked(dataclasses.replace(query, terms=query.terms + images), settings)
    if not query.terms:
        raise Rejected("Nothing to search for. Send text, images, or works that results should resemble.")
    return answer(_search(query, asked.cursor))


@operation("GET", "/works/<id>/similar", TAG, SearchResponse, SimilarParameters, 404, 410, 503)
def similar_works(asked: SimilarParameters, id: str) -> Response:
    """Find similar works."""
    query = asked.query(state().settings).with_term(WorkTerm(id))
    collection = live_collection()
    collection.get(id)  # 404 if the work has left the collection, even if the response is cached
    return cached(collection.build, lambda: _search(query, asked.cursor))


def _read_body() -> SearchBody | SearchForm | UploadForm:
    if request.mimetype == JSON:
        return read_json(SearchBody, request.get_data())
    if request.mimetype == URLENCODED:
        return read_values(SearchForm, request.form)
    if request.mimetype == MULTIPART:
        return read_values(UploadForm, request.form)
    raise Rejected(f"Unsupported Content-Type; send {JSON} or {MULTIPART}.", 415)


def _files() -> list[bytes]:
    """Return the image files in the form. Raises Rejected."""
    if request.form.get(FILE_FIELD):
        raise _rejected(
            FILE_FIELD, "Send the image as a file; this field has no file name, so it was read as text."
        )
    if others := sorted(set(request.files) - {FILE_FIELD}):
        name = printable(others[0])[:MAX_NAME_CHARS]
        raise _rejected(name, f"Unknown file field; send images as {FILE_FIELD}.")
    parts = [(file.filename, file.stream.read()) for file in request.files.getlist(FILE_FIELD)]
    files = [
        data for name, data in parts if name or data
    ]  # a browser sends an empty part for a field without a file
    if len(files) > MAX_IMAGES:
        raise _rejected(FILE_FIELD, f"A search takes up to {MAX_IMAGES} images.")
    return files


def _search(query: SearchQuery, after: str | None) -> SearchResponse:
    """Return the results from the cursor on."""
    collection, app = ready_collection(), state()
    build = collection.build
    terms, asked = resolve_terms(query, collection), SearchBody.of(query)
    list_id = _list_id(query, asked)
    results = app.engine.search(collection, query.at(offset_of(after, build.name, list_id)))
    next_offset, address = results.next_offset, href(query)
    has_more = next_offset is not None and next_offset <= MAX_OFFSET
    return SearchResponse(
        query=asked,
        description=describe(query, terms, app.summary.names(collection)),
        build=build.name,
        limit=query.limit,
        encoder=results.encoder,
        generated=build.generated,
        searched=results.searched,
        seconds=round(results.seconds, 4),
        results=tuple(_result(result, terms) for result in results.hits),
        next_cursor=cursor(build.name, list_id, next_offset or 0) if has_more else None,
        page=urljoin(root_url(), address) if len(address) <= MAX_ADDRESS_CHARS else None,
    )


def _list_id(query: SearchQuery, asked: SearchBody) -> dict[str, Any]:
    """Return the search that a cursor belongs to, with images as vectors, since tokens differ per upload."""
    images = [
        (hashlib.blake2b(term.vector.tobytes(), digest_size=8).hexdigest(), term.weight)
        for term in query.terms
        if isinstance(term, ImageTerm)
    ]
    return asked.model_dump(exclude={"limit", "cursor", "images"}) | {"images": images}


def _result(result: SearchResult, terms: Sequence[ResolvedTerm]) -> ResultItem:
    return ResultItem.of(
        result.artwork,
        score=result.score,
        relevance=result.relevance,
        z_score=None if result.z_score is None else round(result.z_score, 2),
        weak=result.weak,
        matched_terms=result.matched_terms,
        contributions=tuple(
            TermContribution(
                term=term.parameter, index=term.index, similarity=one.similarity, delta=one.delta
            )
            for term, one in zip(terms, result.contributions, strict=False)
        ),
    )


def _rejected(field: str, message: str) -> Rejected:
    return Rejected(message, field_errors=(FieldError(field, message),))
