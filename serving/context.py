"""State shared by the views: the app's components, and the live collection of the current request.

`live_collection()` queries the vector store once per request. Later calls in the same request return the same
collection, so a page never mixes two builds, even if one is published meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app, g

from gallery.errors import GalleryError, Unavailable
from gallery.search.engine import SearchEngine
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.base import Collection
from serving.collection_summary import CollectionSummary
from serving.decoders import Decoders
from serving.errors import NoCollection, Starting
from serving.image_urls import ImageUrls
from serving.loaded_map import LoadedMaps
from serving.tokens import Tokens
from serving.warmup import State, WarmUp

EXTENSION = "gallery"
"""Key of the AppState in `app.extensions`."""


@dataclass(frozen=True)
class AppState:
    """The components of one app, created by `create_app`."""

    settings: Settings
    services: Services
    engine: SearchEngine
    warmup: WarmUp
    summary: CollectionSummary
    maps: LoadedMaps
    tokens: Tokens
    image_urls: ImageUrls
    decoders: Decoders

    @classmethod
    def open(cls, settings: Settings, services: Services) -> AppState:
        """Create the components; nothing is loaded yet. Raises Invalid if the settings conflict."""
        engine = SearchEngine(services)
        key = settings.secret_key.get_secret_value() if settings.secret_key else None
        return cls(
            settings,
            services,
            engine,
            WarmUp(services, engine),
            CollectionSummary(),
            LoadedMaps(services),
            Tokens(key),
            ImageUrls(settings, services),
            Decoders(),
        )


def state() -> AppState:
    """Return the components of the current app."""
    return cast(AppState, current_app.extensions[EXTENSION])


def live_collection() -> Collection:
    """Return the live collection of this request.

    Raises NoCollection before the first build is published, and Unavailable. The result and the error are
    kept for the rest of the request.
    """
    if "live_collection" not in g:
        try:
            g.live_collection = _look_up()
        except GalleryError as error:
            g.live_collection = error
    found: Collection | GalleryError = g.live_collection
    if isinstance(found, GalleryError):
        raise found
    return found


def ready_collection() -> Collection:
    """Return the live collection once its encoder is loaded. Raises NoCollection, Starting, Unavailable."""
    collection, warmup = live_collection(), state().warmup
    if warmup.state is not State.READY:
        warmup.start()  # in case the app runs in another WSGI server, which did not start it
        if warmup.state is State.FAILED:
            raise Unavailable("the last warm-up failed")
        raise Starting("the encoder is still loading")
    return collection


def _look_up() -> Collection:
    store = state().services.vectors
    build = store.live()
    if build is None:
        raise NoCollection("there is no collection yet; run `gallery refresh` to build one")
    return store.open(build.name)
