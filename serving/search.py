"""The search page: words or a picture in, the nearest works with their painters out."""

from __future__ import annotations

import dataclasses

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from gallery.catalog import Hit
from gallery.errors import NotFound
from gallery.search import Results
from serving.errors import Rejected
from serving.pages import EXAMPLES, Card, HomePage, ResultsPage, frame, render
from serving.query import Query
from serving.site import Site, site
from serving.tokens import Upload
from serving.uploads import uploaded
from serving.wall import artist_names

blueprint = Blueprint("search", __name__)

OTHERS = 6
"""More works by the artist of each result."""

NOTHING = "Say what to look for, or choose a picture."


@blueprint.get("/")
def page() -> str:
    """The home page, or with `q` the works nearest to the words."""
    query = Query.parse(request.args, site().settings)
    if "q" not in request.args:
        return _home(site(), query)
    if not query.words:
        raise Rejected(NOTHING)
    site().ready()
    return _answer(site(), query, site().engine.by_text(query.words, query.k, query.where), None)


@blueprint.post("/")
def submit() -> str | Response:
    """The works nearest to a picture; words are sent on to their own address. A new picture goes before words."""
    # An address that says k was built by a Query and is all of it; else the form's own fields join in.
    values = request.args if "k" in request.args else request.values
    query = Query.parse(values, site().settings)
    site().ready()
    upload = uploaded(site(), query.words)
    if upload is None and (query.words or query.where):
        return redirect(query.href, 303)
    if upload is None:
        raise Rejected(NOTHING)
    query = dataclasses.replace(query, words="")
    return _answer(site(), query, site().engine.by_picture(upload.query, query.k, query.where), upload)


def _home(site: Site, query: Query) -> str:
    build = site.live()
    surround = frame(site, query)
    examples = tuple(dataclasses.replace(query, words=words) for words in EXAMPLES)
    names = dict(surround.facets.artists) if surround.facets else {}
    return render(HomePage(surround, examples, site.wall.spread(build, query.where), query.chips(names)))


def _answer(site: Site, query: Query, found: Results, upload: Upload | None) -> str:
    names = artist_names(hit.artwork.artist for hit in found.hits)
    return render(
        ResultsPage(
            frame(site, query),
            tuple(_card(site, hit) for hit in found.hits),
            query.chips(names),
            found.encoder,
            found.seconds,
            upload,
            site.tokens.write(upload) if upload else "",
        )
    )


def _card(site: Site, hit: Hit) -> Card:
    work = hit.artwork
    try:
        return Card(hit, tuple(site.engine.works_by(work.artist.slug, OTHERS, leave_out=work.id)))
    except NotFound:  # another build was published since the search, without this artist
        return Card(hit, ())
