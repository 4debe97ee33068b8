"""What the views of one app share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import cast

from flask import current_app

from gallery.errors import Unavailable
from gallery.models import Build
from gallery.search.engine import SearchEngine
from gallery.services import Services
from gallery.settings import Settings
from serving.atlases import Atlases
from serving.errors import NoCollection, Starting
from serving.image_urls import ImageUrls
from serving.tokens import Tokens
from serving.wall import Wall
from serving.warmup import State, WarmUp

DECODERS = 2
"""Uploads decoded and encoded at the same time; each may hold up to 600 MB of pixels while it lasts."""

EXTENSION = "gallery"


@dataclass(frozen=True)
class Site:
    """The parts of one app, made by create_app."""

    settings: Settings
    services: Services
    engine: SearchEngine
    warmup: WarmUp
    wall: Wall
    atlases: Atlases
    tokens: Tokens
    image_urls: ImageUrls
    decoders: threading.BoundedSemaphore

    @classmethod
    def open(cls, settings: Settings, services: Services) -> Site:
        """The parts for these settings; nothing is loaded yet. Raises Invalid where they do not go together."""
        engine = SearchEngine(services)
        key = settings.secret_key.get_secret_value() if settings.secret_key else None
        return cls(
            settings,
            services,
            engine,
            WarmUp(services, engine),
            Wall(services),
            Atlases(services),
            Tokens(key),
            ImageUrls(settings, services),
            threading.BoundedSemaphore(DECODERS),
        )

    def live(self) -> Build:
        """The live build. Raises NoCollection before the first is published, Unavailable."""
        build = self.services.vectors.live()
        if build is None:
            raise NoCollection("there is no collection yet; run `gallery refresh` to build one")
        return build

    def ready(self) -> Build:
        """The live build, its encoder loaded. Raises NoCollection, Starting, Unavailable."""
        build = self.live()
        if self.warmup.state is not State.READY:
            self.warmup.start()  # a server that is not ours may not have
            if self.warmup.state is State.FAILED:
                raise Unavailable("the last warm-up failed")
            raise Starting("the encoder is still being loaded")
        return build


def site() -> Site:
    """The parts of the app that answers this request."""
    return cast(Site, current_app.extensions[EXTENSION])
