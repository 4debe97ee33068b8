"""Compare the candidate with the live build on the same queries."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gallery.datasets.base import ProgressCallback
from gallery.encoders.base import Encoder
from gallery.errors import Corrupted, NotFound
from gallery.models import Artwork, Build
from gallery.objects.base import ObjectStore
from gallery.services import Services
from pipelines.defs.evaluation.metrics import (
    NEIGHBORS,
    SCORE_TOLERANCE,
    Measurement,
    MetricResult,
    compare,
    keyed_sample,
    mean,
    measure,
)
from pipelines.defs.evaluation.queries import (
    COPIED_WORKS,
    TextResult,
    copies_cache,
    copy_vectors,
    encode_copies,
    encode_texts,
    query_maker,
    search_texts,
)
from pipelines.defs.images.storage import contact_sheet

log = logging.getLogger(__name__)

SHOWN_QUERIES = 4
SHOWN_RESULTS = 5


@dataclass(frozen=True)
class Comparison:
    """What was measured, and what is wrong with the candidate."""

    candidate: Measurement
    live: Measurement | None
    not_compared: str
    """Why the live build could not be measured; "" if it was, or if there is none."""
    metrics: list[MetricResult]
    row_problems: list[str]
    encoder_problems: list[str]
    overlap: dict[str, float]
    """Query -> share of its results in the live build that the candidate returns too."""
    text_results: list[TextResult]
    text_overlap: float | None
    encoded_copies: int

    @property
    def too_low(self) -> list[str]:
        """Metrics below their minimum."""
        return [result.too_low for result in self.metrics if result.too_low]

    @property
    def dropped(self) -> list[str]:
        """Metrics too far below the live build."""
        return [result.dropped for result in self.metrics if result.dropped]

    @property
    def problems(self) -> list[str]:
        """Every reason not to publish the candidate."""
        return [*self.row_problems, *self.encoder_problems, *self.too_low, *self.dropped]


def compare_builds(
    services: Services,
    name: str,
    live: Build | None,
    works: Sequence[Artwork],
    progress: ProgressCallback = lambda _: None,
) -> Comparison:
    """Compare the build `name`, made of these works, with the live one. Raises NotFound, Unavailable."""
    store, tables, encoder = services.vectors, services.tables, services.encoder
    collection = store.open(name)
    build = collection.build
    by_id = {work.id: work for work in works}
    ids = collection.ids()
    other, not_compared = live if live and live.name != name else None, ""
    common = ids & by_id.keys()
    if other:
        # Without a comparison if the live build is damaged; Unavailable stops the run.
        try:
            common &= store.open(other.name).ids()
        except (Corrupted, NotFound) as error:
            other, not_compared = None, str(error)
    sampled = keyed_sample(common, COPIED_WORKS, key="altered")

    own_encoder = encoder.fingerprint == build.fingerprint
    cache, encoded = copies_cache(tables, build), 0
    if own_encoder:
        encoded = encode_copies(services, cache, [by_id[id] for id in sampled], progress)
    before = None
    if other:
        try:
            old = store.open(other.name)
            progress(f"searching the live build {other.name}")
            # Only copies that are encoded already: the encoder of this build may not be available.
            copies = copy_vectors(copies_cache(tables, other), [old.get(id) for id in sampled])
            before = measure(old, by_id, common, query_maker(other, encoder), copies)
        except (Corrupted, NotFound) as error:
            not_compared = str(error)
    copies = copy_vectors(cache, [by_id[id] for id in sampled])
    progress(f"searching the candidate {name}")
    after = measure(collection, by_id, common, query_maker(build, encoder), copies)
    if live and live.name == name:
        before = after

    texts: list[TextResult] = []
    text_overlap = None
    if own_encoder:
        queries = encode_texts(tables, encoder)
        texts = search_texts(collection, queries)
        if before and before.build.fingerprint == build.fingerprint:
            try:
                old_texts = search_texts(store.open(before.build.name), queries)
                text_overlap = mean(overlaps(_text_ids(old_texts), _text_ids(texts)).values())
            except (Corrupted, NotFound) as error:  # its text index is damaged
                log.warning("text searches are not compared with the live build: %s", error)
    return Comparison(
        candidate=after,
        live=before,
        not_compared=not_compared,
        metrics=[
            replace(result, too_low=f"{result.too_low}. {works_not_found(after, by_id)}")
            if result.metric == "self_retrieval" and result.too_low
            else result
            for result in compare(after, before, services.settings.tolerance)
        ],
        row_problems=_row_problems(after, ids, by_id),
        encoder_problems=_encoder_problems(build, encoder),
        overlap=overlaps(_result_ids(before), _result_ids(after)) if before else {},
        text_results=texts,
        text_overlap=text_overlap,
        encoded_copies=encoded,
    )


def works_not_found(measured: Measurement, works: Mapping[str, Artwork]) -> str:
    """Return which works were not found by their own vectors, and what to do.

    Files with equal pixels are one work, so works with the same vector are images that differ.
    """
    lost = sorted(query for query, score in measured.scores["self_retrieval"].items() if not score)
    files = [works[id].file for id in lost if id in works][:SHOWN_QUERIES]
    scores = {id: [hit.score for hit in measured.results[id]] for id in lost}
    crowded = [id for id in lost if len(scores[id]) == NEIGHBORS and np.ptp(scores[id]) < SCORE_TOLERANCE]
    return f"Not found by their own vectors: {len(lost)} works, such as {', '.join(files)}" + (
        f"; {len(crowded)} of them have the same vector as at least {NEIGHBORS} other works. If these images "
        "look alike, keep one of each in the dataset"
        if crowded
        else ""
    )


def _row_problems(measured: Measurement, ids: set[str], works: Mapping[str, Artwork]) -> list[str]:
    problems = []
    if ids != works.keys() or measured.rows != measured.build.works:
        problems.append(
            f"the build has {measured.rows} rows for {len(works)} works: {len(works.keys() - ids)} missing, "
            f"{len(ids - works.keys())} unexpected"
        )
    if measured.bad_rows:
        problems.append(f"{measured.bad_rows} of {measured.rows} rows are not finite or not of unit length")
    return problems


def _encoder_problems(build: Build, encoder: Encoder) -> list[str]:
    if (build.fingerprint, build.dim) == (encoder.fingerprint, encoder.dim):
        return []
    return [
        f"the build's encoder is {build.fingerprint} ({build.dim} floats), but this run's is "
        f"{encoder.fingerprint} ({encoder.dim} floats)"
    ]


def overlaps(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return query -> share of its results before that are results after, for queries of both."""
    return {
        query: len(set(before[query]) & set(after[query])) / len(before[query])
        for query in before
        if query in after and before[query]
    }


def _result_ids(measured: Measurement) -> dict[str, list[str]]:
    return {query: [hit.artwork.id for hit in hits] for query, hits in measured.results.items()}


def _text_ids(results: Sequence[TextResult]) -> dict[str, list[str]]:
    return {result.text: [hit.artwork.id for hit in result.hits] for result in results}


def most_changed(overlap: Mapping[str, float]) -> list[str]:
    """Return at most `SHOWN_QUERIES` queries whose results changed, the most changed first."""
    changed = [query for query, share in overlap.items() if share < 1]
    return sorted(changed, key=lambda query: (overlap[query], query))[:SHOWN_QUERIES]


def before_and_after(compared: Comparison, queries: Sequence[Artwork], images: ObjectStore) -> bytes:
    """Return a JPEG with two rows per query: its results in the live build, then in the candidate."""
    cells: list[bytes] = []
    for query in queries:
        for measured in (compared.live, compared.candidate):
            hits = measured.results[query.id][:SHOWN_RESULTS] if measured else []
            row = [_thumbnail(images, work) for work in (query, *(hit.artwork for hit in hits))]
            cells += row + [b""] * (SHOWN_RESULTS + 1 - len(row))
    return contact_sheet(cells, columns=SHOWN_RESULTS + 1)


def _thumbnail(images: ObjectStore, work: Artwork) -> bytes:
    """Return the small thumbnail, or b"", which gives an empty cell, if it is no longer stored."""
    try:
        return images.get(work.image.small)
    except NotFound:
        log.info("%s has no stored image to show", work.file)
        return b""
