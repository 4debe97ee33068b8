"""The search page: any mix of words, pictures and works in, the nearest works out."""

from __future__ import annotations

import dataclasses

from flask import Blueprint, make_response, redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from gallery.models import Build
from serving.composer import Card, cards_of, mix_of, sentence_of
from serving.errors import Rejected
from serving.language import marked
from serving.pages import EXAMPLES, HomePage, ResultsPage, Tile, frame, is_outstanding, render, tiles
from serving.query import Query
from serving.site import Site, site
from serving.uploads import uploaded

blueprint = Blueprint("search", __name__)

NOTHING = marked("Say what to look for, or choose a picture.")
MAIN = "main"
"""The id of the element that a search with a script puts its answer in the place of."""
BELOW = "below"
"""The parameter by which a further page knows that the weak matches have begun before it."""


@blueprint.get("/")
def page() -> Response:
    """The home page; or the works nearest to what is asked for; or those that pass a filter."""
    query = Query.parse(request.args, site().settings)
    response = make_response(_page(site(), query))
    if request.headers.get("HX-Target") == MAIN:
        response.headers["HX-Push-Url"] = query.href  # without what a form's buttons have put into it
    response.vary.add("HX-Target")
    return response


@blueprint.post("/")
def submit() -> Response:
    """The form is sent on to the address of its query, with the picture that it brings as a token."""
    query = Query.parse(request.form, site().settings)
    site().ready()
    upload = uploaded(site())
    if upload:
        query = query.with_part("pic", site().tokens.write(upload))
    if not (query.parts or query.where):
        raise Rejected(gettext(NOTHING))
    return redirect(query.checked().href, 303)


def _page(site: Site, query: Query) -> str:
    build = site.ready() if query.parts else site.live()
    if query.parts:
        return _found(site, query, build, cards_of(site, query, build))
    if query.where:
        return _listed(site, query, build)
    if "q" in request.args:
        raise Rejected(gettext(NOTHING))
    return _home(site, query, build)


def _home(site: Site, query: Query, build: Build) -> str:
    examples = tuple(query.with_part("q", words) for words in EXAMPLES)
    facets = site.wall.facets(build, query.where)
    return render(HomePage(frame(site, query), examples, site.wall.spread(build), facets))


def _found(site: Site, query: Query, build: Build, cards: tuple[Card, ...]) -> str:
    found = site.engine.search(mix_of(query, cards), query.k or site.settings.default_results, query.start)
    outstanding = query.start > 0 or is_outstanding(found.hits)
    divided = outstanding and BELOW not in request.args
    shown = tiles(site, found.build, found.hits, divided=divided)
    more = _more(query, found.next, below=not divided or any(tile.weak_from_here for tile in shown))
    return _results(
        site, query, build, cards, shown, found.searched, more, outstanding, found.encoder, found.seconds
    )


def _listed(site: Site, query: Query, build: Build) -> str:
    k = query.k or site.settings.default_results
    works = site.engine.works(query.where, k + 1, query.start)
    more = _more(query, query.start + k if len(works) > k else None)
    shown = tiles(site, build, works[:k], divided=False)
    count = site.services.vectors.open(build.name).count(query.where)
    return _results(site, query, build, (), shown, count, more, True, "", 0.0)


def _results(
    site: Site,
    query: Query,
    build: Build,
    cards: tuple[Card, ...],
    shown: tuple[Tile, ...],
    works: int,
    more: str,
    outstanding: bool,
    encoder: str,
    seconds: float,
) -> str:
    names = {slug: painter.artist.name for slug, painter in site.wall.painters(build).items()}
    sentence = sentence_of(query, cards, names)
    facets = site.wall.facets(build, query.where)
    return render(
        ResultsPage(
            frame(site, query, cards),
            sentence,
            shown,
            works,
            more,
            outstanding,
            query.chips(names),
            facets,
            encoder,
            seconds,
        )
    )


def _more(query: Query, start: int | None, *, below: bool = False) -> str:
    if start is None:
        return ""
    href = dataclasses.replace(query, start=start).href
    return f"{href}&{BELOW}=1" if below else href
