"""The embedded vector store: LanceDB tables in a local folder, which a pipeline may write while a web app reads.

    <folder>/LIVE            name of the live build
    <folder>/<build>.json    what the build is
    <folder>/<build>.lance   its rows

A build is written once and then only read, so readers never see it change under them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Before the import, which reads it: otherwise each new table is announced on stderr as a warning.
os.environ.setdefault("LANCEDB_LOG", "error")
import lancedb

from gallery.addresses import Address
from gallery.errors import Corrupted, Invalid, NotFound, Unavailable
from gallery.models import Artwork, Build, Hit, from_payload, to_payload
from gallery.vectors.base import (
    BUILD_NAME,
    Facets,
    Vector,
    Vectors,
    check_name,
    check_query,
    check_rows,
    no_rows,
)
from gallery.vectors.filters import EVERYTHING, Filter, life
from gallery.vectors.lexical import searchable_text, tokens
from gallery.vectors.ranking import (
    by_match,
    first_per_artist,
    idf,
    most_frequent_first,
    reciprocal_rank_fusion,
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

LIVE = "LIVE"


def _translated(
    method: Callable[Concatenate[LanceCollection, Arguments], Result],
) -> Callable[Concatenate[LanceCollection, Arguments], Result]:
    """The method with Lance's errors as ours. Lance raises what Rust or Arrow raised: these three, and subclasses."""

    @wraps(method)
    def translated(self: LanceCollection, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return method(self, *args, **kwargs)
        except (ValueError, OSError, RuntimeError) as error:
            problem = str(error).partition("\n")[0][:200]
            raise Corrupted(
                f"the rows of build {self.build.name} in {self._folder} cannot be read ({problem}); "
                "`gallery refresh` builds them anew"
            ) from error

    return translated


class LanceCollection:
    """One build's rows as a Lance table."""

    def __init__(self, folder: Path, build: Build) -> None:
        self.build = build
        self._folder = folder

    @cached_property
    def _table(self) -> Any:
        return lancedb.connect(self._folder).open_table(self.build.name)

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        ids = [work.id for work in works]
        rows = check_rows(self.build, ids, vectors)
        # The last of a repeated id counts; Lance's merge refuses a source that names one row twice.
        last = {id: position for position, id in enumerate(ids)}
        columns = [_columns(works[position], rows[position]) for position in last.values()]
        data = pa.Table.from_pylist(columns, schema=_schema(self.build.dim))
        try:
            self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
                data
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise Unavailable(
                f"build {self.build.name}: could not write works {', '.join(ids[:5])} … ({error})"
            ) from error

    @_translated
    def delete(self, ids: Sequence[str]) -> None:
        if ids:
            self._table.delete(f"id IN ({_quoted(ids)})")

    @_translated
    def count(self, where: Filter = EVERYTHING) -> int:
        return int(self._table.count_rows(_sql(where)))

    @_translated
    def ids(self) -> set[str]:
        found = self._table.search().select(["id"]).limit(self._table.count_rows() or 1).to_arrow()
        return set(found["id"].to_pylist())

    @_translated
    def get(self, id: str) -> Artwork:
        works = self._works_of([id])
        if not works:
            raise NotFound(f"no work {id} in build {self.build.name}")
        return works[id]

    @_translated
    def vectors(self, ids: Sequence[str]) -> Vectors:
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return np.zeros((0, self.build.dim), dtype=np.float32)
        found = self._rows(["id", "vector"], f"id IN ({_quoted(wanted)})")
        places = {id: place for place, id in enumerate(found["id"].to_pylist())}
        missing = [id for id in wanted if id not in places]
        if missing:
            raise no_rows(self.build, missing)
        rows = found["vector"].combine_chunks().flatten().to_numpy().reshape(-1, self.build.dim)
        return np.asarray(rows[[places[id] for id in ids]], dtype=np.float32)

    @_translated
    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        # Ordered here: a Lance scan has no order of its own, and only keys are read before the cut.
        keys = self._rows(["file", "id"], _sql(where))
        order = sorted(zip(*(column.to_pylist() for column in keys.columns), strict=True))
        ids = [id for _, id in order[offset : offset + limit]]
        found = self._works_of(ids)
        return [found[id] for id in ids]

    @_translated
    def facets(self, where: Filter = EVERYTHING) -> Facets:
        rows = self._rows(["artist", "styles", "nationalities"], _sql(where))
        return Facets(
            _counted(rows["artist"]),
            _counted(pc.list_flatten(rows["styles"])),
            _counted(pc.list_flatten(rows["nationalities"])),
        )

    @_translated
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
        if words := tokens(text):
            return self._hybrid(words, query, k, where, offset, per_artist)
        total = self._table.count_rows()
        fetch = min(offset + k + 8, total)
        while True:
            near = self._nearest(query, where, fetch)
            scores = near["score"].to_numpy()
            # Ties go by id, and which of an artist's works count hangs on that: without all of a tie there is no
            # telling, so the last one is left out while there may be more of it.
            complete = fetch == total or len(near) < fetch
            sure = len(near) if complete else int(np.searchsorted(-scores, -scores[-1]))
            artists = near["artist"][:sure].to_pylist()
            places = list(islice(first_per_artist(artists, per_artist), offset + k))
            if complete or len(places) == offset + k:
                return self._hits(near, places[offset:])
            fetch = min(fetch * 4, total)

    def _hybrid(
        self, words: list[str], query: Vector, k: int, where: Filter, offset: int, per_artist: int | None
    ) -> list[Hit]:
        near = self._nearest(query, where, self._table.count_rows(), words=True)
        ids, artists = near["id"].to_pylist(), near["artist"].to_pylist()
        places = {id: place for place, id in enumerate(ids)}
        matches = by_match(_matches(near, list(dict.fromkeys(words))), ids)
        ranking = [places[id] for id in reciprocal_rank_fusion(ids, matches)] if matches else range(len(ids))
        kept = first_per_artist((artists[place] for place in ranking), per_artist)
        return self._hits(near, [ranking[at] for at in islice(kept, offset, offset + k)])

    def _nearest(self, query: Vector, where: Filter, fetch: int, *, words: bool = False) -> pa.Table:
        """The nearest works ordered by score, ties by id: columns id, artist, score (float64), on request words."""
        columns = ["id", "artist", "_distance"]
        if words and "words" in self._table.schema.names:  # not so in a build of before hybrid search
            columns.append("words")
        search = self._table.search(query, vector_column_name="vector").distance_type("cosine")
        if where:
            search = search.where(_sql(where), prefilter=True)
        rows = search.limit(fetch or 1).select(columns).to_arrow()
        scores = np.round(1.0 - rows["_distance"].to_numpy().astype(np.float64), 6)
        rows = rows.drop_columns("_distance").append_column("score", pa.array(scores))
        return rows.sort_by([("score", "descending"), ("id", "ascending")])

    def _rows(self, columns: list[str], condition: str | None = None) -> pa.Table:
        # Lance's own default limit is 10 rows, and it takes no 0.
        query = self._table.search().select(columns).limit(self._table.count_rows() or 1)
        return (query.where(condition) if condition else query).to_arrow()

    def _works_of(self, ids: Sequence[str]) -> dict[str, Artwork]:
        if not ids:
            return {}
        rows = self._rows(["id", "payload"], f"id IN ({_quoted(ids)})")
        pairs = zip(rows["id"].to_pylist(), rows["payload"].to_pylist(), strict=True)
        return {id: from_payload(json.loads(payload)) for id, payload in pairs}

    def _hits(self, near: pa.Table, places: Sequence[int]) -> list[Hit]:
        chosen = near.select(["id", "score"]).take(pa.array(places, pa.int64())).to_pylist()
        works = self._works_of([row["id"] for row in chosen])
        return [Hit(works[row["id"]], row["score"]) for row in chosen if row["id"] in works]


class LanceStore:
    """Builds as Lance tables in one folder, which the first build creates."""

    def __init__(self, folder: Path) -> None:
        self.address = f"lance://{folder}"
        self._folder = folder
        self._opened: dict[Build, LanceCollection] = {}

    def version(self) -> str:
        return f"LanceDB {version('lancedb')}"

    def create(self, build: Build) -> LanceCollection:
        check_name(build.name)
        if self._manifest(build.name).exists():
            raise Invalid(f"there is a build {build.name} already in {self._folder}")
        build = dataclasses.replace(build, ready=False)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(self._manifest(build.name), json.dumps(dataclasses.asdict(build), indent=1))
            # Rows without a manifest are what a drop that was cut short leaves behind.
            shutil.rmtree(self._folder / f"{build.name}.lance", ignore_errors=True)
            lancedb.connect(self._folder).create_table(
                build.name, schema=_schema(build.dim), mode="overwrite"
            )
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"cannot create build {build.name} in {self._folder} ({error})") from error
        return LanceCollection(self._folder, build)

    def open(self, name: str) -> LanceCollection:
        build = self._read(name)
        if build not in self._opened:
            self._opened[build] = LanceCollection(self._folder, build)
        return self._opened[build]

    def builds(self) -> list[Build]:
        found = [self._read(path.stem) for path in self._folder.glob("*.json")]
        return sorted(found, key=lambda build: (build.created_at, build.name), reverse=True)

    def seal(self, name: str) -> Build:
        build = dataclasses.replace(self._read(name), ready=True)
        self._write(self._manifest(name), json.dumps(dataclasses.asdict(build), indent=1))
        return build

    def live(self) -> Build | None:
        name = self._live_name()
        if name is None:
            return None
        try:
            return self._read(name)
        except (NotFound, Invalid) as error:
            raise Corrupted(
                f"{self._folder / LIVE} names build {name!r}, which is gone; run `gallery refresh` to publish another"
            ) from error

    def publish(self, name: str) -> None:
        if not self._read(name).ready:
            raise Invalid(f"build {name} is not ready, so it cannot go live")
        self._write(self._folder / LIVE, name + "\n")

    def drop(self, name: str) -> None:
        if name == self._live_name():
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        if not BUILD_NAME.fullmatch(name):
            return
        # The manifest first: rows without one are not a build, so a drop cut short leaves no half of one.
        self._manifest(name).unlink(missing_ok=True)
        shutil.rmtree(self._folder / f"{name}.lance", ignore_errors=True)

    def _manifest(self, name: str) -> Path:
        if not BUILD_NAME.fullmatch(name):
            raise NotFound(f"no build {name!r} in {self._folder}")
        return self._folder / f"{name}.json"

    def _live_name(self) -> str | None:
        try:
            return (self._folder / LIVE).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise Corrupted(
                f"{self._folder / LIVE} cannot be read ({error}); `gallery refresh` writes it anew"
            ) from error
        except OSError as error:
            raise Unavailable(f"{self._folder / LIVE} cannot be read ({error})") from error

    def _read(self, name: str) -> Build:
        path = self._manifest(name)
        try:
            return Build(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            raise NotFound(f"no build {name} in {self._folder}") from None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read ({error})") from error
        except (ValueError, TypeError) as error:
            raise Corrupted(
                f"{path} cannot be read ({error}); move it away and run `gallery refresh`"
            ) from error

    def _write(self, path: Path, text: str) -> None:
        try:
            handle, unfinished = tempfile.mkstemp(dir=self._folder, prefix=".")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # the pointer must not survive a power cut that its build does not
            Path(unfinished).chmod(0o644)
            Path(unfinished).replace(path)
        except OSError as error:
            raise Unavailable(
                f"cannot write {path}: {error.strerror}. Is the disk full, or not yours to write?"
            ) from error


def _schema(dim: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("artist", pa.string(), nullable=False),
            pa.field("styles", pa.list_(pa.string())),
            pa.field("nationalities", pa.list_(pa.string())),
            pa.field("life_start", pa.int32()),
            pa.field("life_end", pa.int32()),
            pa.field("words", pa.list_(pa.string())),
            pa.field("payload", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dim), nullable=False),
        ]
    )


def _columns(work: Artwork, row: Vector) -> dict[str, Any]:
    start, end = life(work.artist)
    return {
        "id": work.id,
        "file": work.file,
        "artist": work.artist.slug,
        "styles": list(dict.fromkeys(work.artist.styles)),
        "nationalities": list(dict.fromkeys(work.artist.nationalities)),
        "life_start": start,
        "life_end": end,
        "words": searchable_text(work).split(),
        "payload": json.dumps(to_payload(work), ensure_ascii=False),
        "vector": row,
    }


def _matches(rows: pa.Table, terms: list[str]) -> dict[str, float]:
    """How well works match the words, by id, above 0; works that do not match at all are left out."""
    if not terms or not len(rows) or "words" not in rows.schema.names:
        return {}
    lists = rows["words"].combine_chunks()
    found = pc.index_in(lists.flatten(), value_set=pa.array(terms))
    places = pc.filter(pc.list_parent_indices(lists), found.is_valid()).to_numpy()
    which = found.drop_null().to_numpy()
    having = np.bincount(which, minlength=len(terms))
    weights = np.array([idf(len(rows), int(count)) for count in having])
    scores = np.round(np.bincount(places, weights=weights[which], minlength=len(rows)), 9)
    matching = np.flatnonzero(scores)
    return dict(zip(rows["id"].take(matching).to_pylist(), scores[matching].tolist(), strict=True))


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    return most_frequent_first(
        {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}
    )


def _quoted(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _sql(where: Filter) -> str | None:
    terms = []
    if where.artists:
        terms.append(f"artist IN ({_quoted(where.artists)})")
    if where.exclude_artists:
        terms.append(f"artist NOT IN ({_quoted(where.exclude_artists)})")
    if where.styles:
        terms.append(f"array_has_any(styles, [{_quoted(where.styles)}])")
    if where.nationalities:
        terms.append(f"array_has_any(nationalities, [{_quoted(where.nationalities)}])")
    if where.active_from is not None:
        terms.append(f"life_end >= {int(where.active_from)}")
    if where.active_to is not None:
        terms.append(f"life_start <= {int(where.active_to)}")
    return " AND ".join(terms) or None


def open_lance(address: Address, *, api_key: str | None = None) -> LanceStore:
    """The store in the address's folder; nothing is created until the first build. No key is needed."""
    return LanceStore(address.path)
