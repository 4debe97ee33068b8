"""The search as JSON."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for

from gallery.catalog import Artist, Hit, Picture
from gallery.search import Results
from serving.errors import Rejected
from serving.query import Query
from serving.site import site
from serving.uploads import uploaded

PREFIX = "/api/"

blueprint = Blueprint("api", __name__, url_prefix=f"{PREFIX}v1")


@blueprint.get("/search")
def by_words() -> dict[str, Any]:
    """The works nearest to the words `q`."""
    query = Query.parse(request.args, site().settings)
    if not query.words:
        raise Rejected("Say what to look for in q, or POST a picture.")
    site().ready()
    return _answer(query, site().engine.by_text(query.words, query.k, query.where))


@blueprint.post("/search")
def by_picture() -> dict[str, Any]:
    """The works nearest to the uploaded `picture`."""
    query = Query.parse(request.values, site().settings)
    if query.words:
        raise Rejected("Send either words or a picture: words as GET, a picture as POST.")
    site().ready()
    upload = uploaded(site(), query.words)
    if upload is None:
        raise Rejected("Send the picture as the multipart field “picture”.")
    return _answer(query, site().engine.by_picture(upload.query, query.k, query.where))


def _answer(query: Query, found: Results) -> dict[str, Any]:
    filters = {name: value for name, value in query.params.items() if name not in ("q", "k")}
    return {
        "query": {"words": query.words or None, "filters": filters},
        "k": query.k,
        "build": found.build.name,
        "encoder": found.encoder,
        "generated": found.build.generated,
        "seconds": round(found.seconds, 4),
        "results": [_hit(hit) for hit in found.hits],
    }


def _hit(hit: Hit) -> dict[str, Any]:
    work = hit.artwork
    return {
        "id": work.id,
        "score": hit.score,
        "artist": _artist(work.artist),
        "file": work.file,
        "picture": _picture(work.picture),
        "url": url_for("works.work", id=work.id, _external=True),
    }


def _artist(artist: Artist) -> dict[str, Any]:
    names = ("slug", "name", "years", "birth", "death", "genres", "nationalities", "summary", "wikipedia")
    return {name: getattr(artist, name) for name in names}


def _picture(picture: Picture) -> dict[str, Any]:
    copies = {
        name: url_for("pictures.picture", key=getattr(picture, name), _external=True)
        for name in ("small", "large", "original")
    }
    return {**copies, "width": picture.width, "height": picture.height, "color": picture.color}
