"""One build as a Lance table."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import lancedb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.query import MatchQuery

from gallery.errors import Corrupted, NotFound, Unavailable
from gallery.models import Artwork, Build, Hit
from gallery.vectors.base import Facets, Vector, Vectors, check_query, check_rows, no_rows, parse_work
from gallery.vectors.filters import EVERYTHING, Filter
from gallery.vectors.lance.table import TEXT, VECTOR, quoted, row_of, schema, sql
from gallery.vectors.lexical import tokens
from gallery.vectors.ranking import (
    RankedWork,
    by_score,
    limit_ranked,
    most_frequent_first,
    read_fused,
    reciprocal_rank_fusion,
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

EXACT_ROWS = 2_000
"""Up to this many works that pass a filter are searched exactly: 10 ms in a table of a million."""
MAX_INDEXED_RESULTS = 1_000
"""Longer lists are searched exactly: the graph would have to be searched as wide as the list is long."""
ALL_PARTITIONS = 10_000
"""More partitions than any index has, so that all are searched: a filter may leave few works in each."""
SEARCH_WIDTH = 200
"""Candidates kept while searching the graph (HNSW's ef)."""
SPARE_RESULTS = 8
"""Results fetched beyond those asked for, so that the first query usually includes all ties at the end."""
HYBRID_DEPTHS = (500, 5_000, 50_000, 500_000, 5_000_000)
"""Depths of the two rankings of a hybrid search, tried in this order until the page is full."""

OS_ERROR = re.compile(r"os error (\d+)")
"""How messages of Lance quote an error number of the operating system."""
MISSING = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
"""Error numbers that mean that a path of the build is missing or not a file."""


def _translate_errors(
    method: Callable[Concatenate[LanceCollection, Arguments], Result],
) -> Callable[Concatenate[LanceCollection, Arguments], Result]:
    """Raise Corrupted for errors of Lance and Arrow, which raise these built-in ones and subclasses.

    Raise Unavailable where the operating system refused, for example because too many files are open.
    """

    @wraps(method)
    def translated(self: LanceCollection, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return method(self, *args, **kwargs)
        except (ValueError, OSError, RuntimeError) as error:
            problem = str(error).partition("\n")[0][:200]
            code = OS_ERROR.search(str(error))
            if code and int(code[1]) not in MISSING:
                raise Unavailable(
                    f"the rows of build {self.build.name} in {self._folder} cannot be read now ({problem}); "
                    "check permissions and the limit on open files"
                ) from error
            raise Corrupted(
                f"the rows of build {self.build.name} in {self._folder} cannot be read ({problem}); "
                "run `gallery refresh` to rebuild it"
            ) from error

    return translated


class LanceCollection:
    """The works of one build as a Lance table. Vector search is exact in small or unsealed builds."""

    max_depth = None

    def __init__(self, folder: Path, build: Build) -> None:
        self.build = build
        self._folder = folder

    @cached_property
    def table(self) -> Any:
        """The LanceDB table."""
        return lancedb.connect(self._folder).open_table(self.build.name)

    @cached_property
    def _indexed_columns(self) -> set[str]:
        return {column for index in self.table.list_indices() for column in index.columns}

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        ids = [work.id for work in works]
        rows = check_rows(self.build, ids, vectors)
        # Keep the last row of a repeated id: Lance's merge rejects a source with duplicate ids.
        last = {id: position for position, id in enumerate(ids)}
        columns = [row_of(works[position], rows[position]) for position in last.values()]
        data = pa.Table.from_pylist(columns, schema=schema(self.build.dim))
        try:
            self.table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
                data
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise Unavailable(
                f"build {self.build.name}: could not write works {', '.join(ids[:5])} … ({error})"
            ) from error

    @_translate_errors
    def delete(self, ids: Sequence[str]) -> None:
        if ids:
            self.table.delete(f"id IN ({quoted(ids)})")

    @_translate_errors
    def count(self, where: Filter = EVERYTHING) -> int:
        return int(self.table.count_rows(sql(where)))

    @_translate_errors
    def ids(self) -> set[str]:
        return set(self._rows(["id"])["id"].to_pylist())

    @_translate_errors
    def get(self, id: str) -> Artwork:
        works = self._works_of([id])
        if not works:
            raise NotFound(f"no work {id} in build {self.build.name}")
        return works[id]

    @_translate_errors
    def vectors(self, ids: Sequence[str]) -> Vectors:
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return np.zeros((0, self.build.dim), dtype=np.float32)
        found = self._rows_of(wanted, [VECTOR])
        places = {id: place for place, id in enumerate(found["id"].to_pylist())}
        missing = [id for id in wanted if id not in places]
        if missing:
            raise no_rows(self.build, missing)
        rows: Vectors = _matrix(found, self.build.dim)[[places[id] for id in ids]]
        return rows

    @_translate_errors
    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        # Sort here, since a scan has no order; only the keys of all works are read.
        keys = self._rows(["file", "id"], sql(where))
        order = sorted(zip(*(column.to_pylist() for column in keys.columns), strict=True))
        ids = [id for _, id in order[offset : offset + limit]]
        found = self._works_of(ids)
        return [found[id] for id in ids]

    @_translate_errors
    def facets(self, where: Filter = EVERYTHING) -> Facets:
        rows = self._rows(["artist", "styles", "nationalities"], sql(where))
        return Facets(
            _counted(rows["artist"]),
            _counted(pc.list_flatten(rows["styles"])),
            _counted(pc.list_flatten(rows["nationalities"])),
        )

    @_translate_errors
    def search(
        self,
        vector: Vector,
        k: int,
        *,
        fingerprint: str,
        text: str = "",
        where: Filter = EVERYTHING,
        offset: int = 0,
        per_artist: int | None = None,
    ) -> list[Hit]:
        query = check_query(self.build, vector, fingerprint, k, offset, per_artist)
        words = list(dict.fromkeys(tokens(text)))
        passing = self.count(where)
        if not passing:
            return []
        if words and TEXT in self._indexed_columns:

            def fused(depth: int) -> tuple[list[RankedWork], bool]:
                near = self._nearest(query, where, min(depth, passing), passing)
                return _fused(near, self._matching(words, where, depth))[:depth], depth >= passing

            found = read_fused(fused, HYBRID_DEPTHS, offset + k, per_artist)
            return self._hybrid_hits(found[offset:], query)
        return self._hits(self._ranked(query, where, passing, offset + k, per_artist)[offset:])

    def _ranked(
        self, query: Vector, where: Filter, passing: int, wanted: int, per_artist: int | None
    ) -> list[RankedWork]:
        """Return the `wanted` nearest works, at most `per_artist` of an artist."""
        fetch = min(wanted + SPARE_RESULTS, passing)
        while True:
            near = self._nearest(query, where, fetch, passing)
            # Unfetched works may tie with the last one, so drop its score unless everything was fetched.
            certain = near if fetch == passing else [work for work in near if work.score > near[-1].score]
            kept = limit_ranked(certain, per_artist)
            if fetch == passing or len(kept) >= wanted:
                return kept[:wanted]
            fetch = min(fetch * 4, passing)

    def _nearest(self, query: Vector, where: Filter, limit: int, passing: int) -> list[RankedWork]:
        """Return the `limit` nearest works by score, rounded to six digits, then id.

        `passing` is the number of works that pass the filter.
        """
        exact = VECTOR not in self._indexed_columns or passing <= EXACT_ROWS or limit > MAX_INDEXED_RESULTS
        while True:
            search = self.table.search(query, vector_column_name=VECTOR).distance_type("cosine").limit(limit)
            if exact:
                search = search.bypass_vector_index()
            else:
                search = search.nprobes(ALL_PARTITIONS).ef(max(SEARCH_WIDTH, 2 * limit)).refine_factor(2)
            if condition := sql(where):
                search = search.where(condition, prefilter=True)
            rows = search.select(["id", "artist", "_distance"]).to_arrow()
            if exact or len(rows) >= limit:
                break
            exact = True  # the graph search missed some works
        scores = np.round(1.0 - rows["_distance"].to_numpy().astype(np.float64), 6)
        found = map(RankedWork, rows["id"].to_pylist(), rows["artist"].to_pylist(), scores.tolist())
        return sorted(found, key=by_score)

    def _matching(self, words: Sequence[str], where: Filter, limit: int) -> list[RankedWork]:
        """Return at most `limit` works that have any of the words, scored by Lance's BM25."""
        query = MatchQuery(" ".join(words), TEXT)  # type: ignore[call-arg]  # its defaults are hidden from mypy
        search = self.table.search(query, query_type="fts").limit(limit)
        if condition := sql(where):
            search = search.where(condition, prefilter=True)
        rows = search.select(["id", "artist", "_score"]).to_arrow()
        scores = np.round(rows["_score"].to_numpy().astype(np.float64), 4)
        return list(map(RankedWork, rows["id"].to_pylist(), rows["artist"].to_pylist(), scores.tolist()))

    def _rows(self, columns: list[str], condition: str | None = None, limit: int | None = None) -> pa.Table:
        # Lance returns 10 rows by default and rejects a limit of 0.
        query = self.table.search().select(columns).limit(limit or self.table.count_rows() or 1)
        return (query.where(condition) if condition else query).to_arrow()

    def _rows_of(self, ids: Sequence[str], columns: list[str]) -> pa.Table:
        """Return the rows of the works that exist, in no particular order."""
        return self._rows(["id", *columns], f"id IN ({quoted(ids)})", len(ids))

    def _works_of(self, ids: Sequence[str]) -> dict[str, Artwork]:
        if not ids:
            return {}
        rows = self._rows_of(ids, ["payload"])
        pairs = zip(rows["id"].to_pylist(), rows["payload"].to_pylist(), strict=True)
        return {id: parse_work(self.build, payload) for id, payload in pairs}

    def _hits(self, ranking: Sequence[RankedWork]) -> list[Hit]:
        works = self._works_of([ranked.id for ranked in ranking])
        return [Hit(works[ranked.id], ranked.score) for ranked in ranking if ranked.id in works]

    def _hybrid_hits(self, ranking: Sequence[RankedWork], query: Vector) -> list[Hit]:
        """Return the works in the given order, scored by cosine similarity."""
        if not ranking:
            return []
        rows = self._rows_of([ranked.id for ranked in ranking], ["payload", VECTOR])
        vectors = _matrix(rows, self.build.dim)
        scores = np.round(vectors @ query / np.linalg.norm(vectors, axis=1), 6).tolist()
        found = zip(rows["id"].to_pylist(), rows["payload"].to_pylist(), scores, strict=True)
        hits = {id: Hit(parse_work(self.build, payload), score) for id, payload, score in found}
        return [hits[ranked.id] for ranked in ranking if ranked.id in hits]


def _matrix(rows: pa.Table, dim: int) -> Vectors:
    vectors = rows[VECTOR].combine_chunks().flatten().to_numpy().reshape(-1, dim)
    return np.asarray(vectors, dtype=np.float32)


def _fused(near: Sequence[RankedWork], matching: Sequence[RankedWork]) -> list[RankedWork]:
    """Fuse the two rankings. Works that match equally well are ordered by `near` before the fusion."""
    if not matching:
        return list(near)
    ranks = {work.id: rank for rank, work in enumerate(near)}
    ordered = sorted(matching, key=lambda work: (-work.score, ranks.get(work.id, len(ranks)), work.id))
    known = {work.id: work for work in (*near, *ordered)}
    order = reciprocal_rank_fusion([work.id for work in near], [work.id for work in ordered])
    return [known[id] for id in order]


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    return most_frequent_first(
        {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}
    )
