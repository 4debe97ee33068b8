"""The search itself: words, a picture, or a work of the collection -> the nearest works of the live build."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from PIL import Image

from gallery.catalog import Artwork, Build, Hit
from gallery.encoders import open_encoder
from gallery.encoders.base import Encoder
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.ports import Ports
from gallery.vectors import Collection, Vector
from gallery.vectors.filters import EVERYTHING, Filter


@dataclass(frozen=True)
class Results:
    """What a search found: hits by falling score, the build they come from, and how long it took.

    Scores are cosine similarities divided by the most that this encoder's query can reach, so that 1.0 is a
    perfect match with any encoder; `encoder` is its name for people.
    """

    hits: tuple[Hit, ...]
    build: Build
    encoder: str
    seconds: float


@dataclass(frozen=True)
class PictureQuery:
    """A picture as a query: float32 [dim] of unit length, and the fingerprint of the encoder that made it."""

    vector: Vector
    fingerprint: str


class SearchEngine:
    """Searches the live build, following it when another one is published. May be used from several threads."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lock = threading.Lock()
        self._encoders: dict[str, Encoder] = {}

    def collection(self) -> Collection:
        """The live build's works. Raises Unavailable before the first build is published."""
        build = self._ports.vectors.live()
        if build is None:
            raise Unavailable("there is no collection yet; run `gallery refresh` to build one")
        return self._ports.vectors.open(build.name)

    def encoder_for(self, build: Build) -> Encoder:
        """The encoder that made the build, opened but not necessarily loaded.

        With the setting `auto` that is whichever encoder the build names. Raises Unavailable where the setting
        names another: vectors of two encoders cannot be compared.
        """
        with self._lock:
            if build.fingerprint not in self._encoders:
                if self._ports.settings.encoder == "auto":
                    encoder = open_encoder(build.encoder, batch_size=self._ports.settings.batch_size)
                else:
                    encoder = self._ports.encoder
                if encoder.fingerprint != build.fingerprint:
                    raise Unavailable(
                        f"the collection was made by the encoder {build.fingerprint}, but this one is "
                        f"{encoder.fingerprint}; set GALLERY_ENCODER={build.encoder} or run `gallery refresh`"
                    )
                self._encoders = {build.fingerprint: encoder}
            return self._encoders[build.fingerprint]

    def warm(self) -> None:
        """Load the live build's encoder and run each kind of query once, so that no visitor pays for it."""
        collection = self.collection()
        encoder = self.encoder_for(collection.build)
        encoder.load()
        self.picture_query(Image.new("RGB", (64, 64), "gray"))
        self.by_text("warm up", 1)

    def by_text(self, text: str, k: int, where: Filter = EVERYTHING) -> Results:
        """The k works nearest to the words."""
        started = time.perf_counter()
        collection = self.collection()
        vector = self.encoder_for(collection.build).embed_texts([text])[0]
        return self._nearest(collection, vector, k, where, started)

    def picture_query(self, picture: Image.Image) -> PictureQuery:
        """The query that a decoded picture makes, to be searched with now or later."""
        build = self.collection().build
        encoder = self.encoder_for(build)
        return PictureQuery(encoder.as_query(encoder.embed_images([picture]))[0], encoder.fingerprint)

    def by_picture(self, query: PictureQuery, k: int, where: Filter = EVERYTHING) -> Results:
        """The k works nearest to the picture. Raises Invalid where the query was made for another encoder."""
        started = time.perf_counter()
        collection = self.collection()
        encoder = self.encoder_for(collection.build)
        if query.fingerprint != encoder.fingerprint:
            raise Invalid(
                "the collection has changed since this picture was uploaded; please upload it again"
            )
        return self._nearest(collection, query.vector, k, where, started)

    def like(self, id: str, k: int, where: Filter = EVERYTHING) -> Results:
        """The k works nearest to a work of the collection, itself left out. Raises NotFound."""
        started = time.perf_counter()
        collection = self.collection()
        row = collection.vector(id)
        vector = self.encoder_for(collection.build).as_query(row[None])[0]
        found = self._nearest(collection, vector, k + 1, where, started)
        others = tuple(hit for hit in found.hits if hit.artwork.id != id)
        return Results(others[:k], found.build, found.encoder, found.seconds)

    def work(self, id: str) -> Artwork:
        """The work. Raises NotFound."""
        return self.collection().get(id)

    def works_by(self, slug: str, limit: int, leave_out: str = "") -> list[Artwork]:
        """Other works by the artist, at most `limit`. Raises NotFound for an artist with none."""
        works = self.collection().works(Filter(artists=(slug,)), limit=limit + 1)
        if not works:
            raise NotFound(f"no works by {slug}")
        return [work for work in works if work.id != leave_out][:limit]

    def _nearest(
        self, collection: Collection, vector: Vector, k: int, where: Filter, started: float
    ) -> Results:
        encoder = self.encoder_for(collection.build)
        hits = collection.search(vector, k, fingerprint=encoder.fingerprint, where=where)
        scaled = tuple(Hit(hit.artwork, min(1.0, hit.score / encoder.best_score)) for hit in hits)
        return Results(scaled, collection.build, encoder.label, time.perf_counter() - started)
