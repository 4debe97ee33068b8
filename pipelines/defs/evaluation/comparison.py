"""The candidate beside the live build: both asked the same, every figure judged, and what changed made visible."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.encoders.base import Encoder
from gallery.errors import Corrupted, NotFound
from gallery.models import Artwork, Build
from gallery.objects.base import ObjectStore
from gallery.settings import Settings
from gallery.vectors.base import VectorStore
from pipelines.defs.evaluation.augment import WORKS, AugmentedCopies
from pipelines.defs.evaluation.measurements import (
    Measurement,
    TextAnswer,
    ask_in_words,
    measure,
    query_maker,
    text_queries,
)
from pipelines.defs.evaluation.metrics import MetricResult, Quality, compare, keyed_sample, overlaps
from pipelines.defs.images.storage import contact_sheet

log = logging.getLogger(__name__)

SHOWN = 4
"""Queries shown before and after."""
SHOWN_PLACES = 5
"""Answers shown of each."""


@dataclass(frozen=True)
class Comparison:
    """What was measured, and what is wrong with the candidate: each list of faults is empty where nothing is.

    `obstacle` says why a live build could not be measured; "" where it could, or there is none.
    """

    candidate: Measurement
    live: Measurement | None
    obstacle: str
    judgements: list[MetricResult]
    rows: list[str]
    encoder: list[str]
    overlap: dict[str, float]
    text_answers: list[TextAnswer]
    text_overlap: float | None
    encoded: int

    @property
    def quality(self) -> Quality:
        """The candidate's figures over all of its queries."""
        return self.candidate.quality()

    @property
    def too_low(self) -> list[str]:
        """Figures below what any build must reach."""
        return [judgement.too_low for judgement in self.judgements if judgement.too_low]

    @property
    def worse(self) -> list[str]:
        """Figures too far below the live build's."""
        return [judgement.worse for judgement in self.judgements if judgement.worse]

    @property
    def faults(self) -> list[str]:
        """Everything that stands against publishing."""
        return [*self.rows, *self.encoder, *self.too_low, *self.worse]


def compare_builds(
    name: str,
    live: Build | None,
    works: Sequence[Artwork],
    *,
    store: VectorStore,
    tables: ObjectStore,
    pictures: ObjectStore,
    encoder: Encoder,
    settings: Settings,
) -> Comparison:
    """The build of that name, made of these works, beside the live one. Raises NotFound, Unavailable."""
    collection = store.open(name)
    build = collection.build
    known = {work.id: work for work in works}
    held = collection.ids()
    # A live build that is damaged cannot be compared with; one that could not be asked for stops the run instead.
    old_ids, obstacle = held, ""
    if live is not None and live.name != name:
        try:
            old_ids = store.open(live.name).ids()
        except (Corrupted, NotFound) as error:
            live, obstacle = None, str(error)
    common = held & old_ids & known.keys()
    sampled = keyed_sample(common, WORKS, key="altered")

    copies = AugmentedCopies(tables, build.fingerprint, build.dim)
    encoded = 0
    if encoder.fingerprint == build.fingerprint:
        encoded = copies.encode(
            encoder,
            pictures,
            [known[id] for id in sampled],
            max_pixels=settings.max_pixels,
            batch_size=settings.batch_size,
            workers=settings.workers,
        )
    before = None
    if live is not None and live.name != name:
        try:
            old = store.open(live.name)
            # Only what was kept when the live build was a candidate: its encoder may not be had any more.
            old_copies = AugmentedCopies(tables, live.fingerprint, live.dim)
            altered = old_copies.vectors([old.get(id) for id in sampled])
            before = measure(old, known, common, query_maker(live, encoder), altered)
        except (Corrupted, NotFound) as error:
            obstacle = str(error)
    altered = copies.vectors([known[id] for id in sampled])
    after = measure(collection, known, common, query_maker(build, encoder), altered)
    if live is not None and live.name == name:
        before = after

    shared = live_quality = None
    if before is not None:
        queries = set(before.queries) & set(after.queries)
        both = set(before.altered) & set(after.altered)
        shared, live_quality = after.quality(queries, both), before.quality(queries, both)
    answers: list[TextAnswer] = []
    text_overlap = None
    if encoder.fingerprint == build.fingerprint:
        texts = text_queries(tables, encoder)
        answers = ask_in_words(collection, texts)
        if before is not None and before.build.fingerprint == build.fingerprint:
            text_overlap = _text_overlap(ask_in_words(store.open(before.build.name), texts), answers)
    return Comparison(
        candidate=after,
        live=before,
        obstacle=obstacle,
        judgements=compare(after.quality(), shared, live_quality, tolerance=settings.tolerance),
        rows=_row_faults(after, held, known),
        encoder=_encoder_faults(build, encoder),
        overlap=overlaps(_ids(before), _ids(after)) if before else {},
        text_answers=answers,
        text_overlap=text_overlap,
        encoded=encoded,
    )


def _row_faults(measured: Measurement, held: set[str], wanted: Mapping[str, Artwork]) -> list[str]:
    faults = []
    if held != wanted.keys() or measured.rows != measured.build.works:
        missing, other = len(wanted.keys() - held), len(held - wanted.keys())
        faults.append(
            f"the build holds {measured.rows} rows for {len(wanted)} works: {missing} missing, {other} not wanted"
        )
    if measured.unsound:
        faults.append(f"{measured.unsound} of {measured.rows} rows are not finite or not of unit length")
    return faults


def _encoder_faults(build: Build, encoder: Encoder) -> list[str]:
    if (build.fingerprint, build.dim) == (encoder.fingerprint, encoder.dim):
        return []
    return [
        f"the build says its encoder is {build.fingerprint} ({build.dim} floats), this run's is {encoder.fingerprint} "
        f"({encoder.dim} floats)"
    ]


def _ids(measured: Measurement) -> dict[str, list[str]]:
    return {query: [hit.artwork.id for hit in hits] for query, hits in measured.neighbours.items()}


def _text_overlap(before: list[TextAnswer], after: list[TextAnswer]) -> float | None:
    shares = overlaps(*({answer.text: _hits(answer) for answer in answers} for answers in (before, after)))
    return float(np.mean(list(shares.values()))) if shares else None


def _hits(answer: TextAnswer) -> list[str]:
    return [hit.artwork.id for hit in answer.hits]


def changed_most(overlap: Mapping[str, float]) -> list[str]:
    """The queries whose answers have least in common before and after; none of those where all stayed."""
    changed = [query for query, share in overlap.items() if share < 1]
    return sorted(changed, key=lambda query: (overlap[query], query))[:SHOWN]


def before_and_after(compared: Comparison, queries: Sequence[Artwork], pictures: ObjectStore) -> bytes:
    """A JPEG with two rows a query: the work asked for and what it found before, then the same after."""
    tiles: list[bytes] = []
    for query in queries:
        for measured in (compared.live, compared.candidate):
            hits = measured.neighbours[query.id][:SHOWN_PLACES] if measured else []
            row = [_tile(pictures, query), *(_tile(pictures, hit.artwork) for hit in hits)]
            tiles += row + [_tile(pictures, None)] * (SHOWN_PLACES + 1 - len(row))
    return contact_sheet(tiles, columns=SHOWN_PLACES + 1)


def _tile(pictures: ObjectStore, work: Artwork | None) -> bytes:
    """The work's small picture; a pale square where there is none any more."""
    if work is not None:
        try:
            return pictures.get(work.image.small)
        except NotFound:
            log.info("no picture of %s to show", work.file)
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "#eee").save(buffer, "PNG")
    return buffer.getvalue()
