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
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa

# Before the import, which reads it: otherwise each new table is announced on stderr as a warning.
os.environ.setdefault("LANCEDB_LOG", "error")
import lancedb

from gallery.addresses import Address
from gallery.catalog import Artwork, Build, Hit, from_payload, to_payload
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.vectors import Vector, Vectors, check_query, check_rows
from gallery.vectors.filters import EVERYTHING, Filter, life

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
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
            raise Unavailable(
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

    def get(self, id: str) -> Artwork:
        return _work(self._row(id, "payload"))

    def vector(self, id: str) -> Vector:
        return np.asarray(self._row(id, "vector")["vector"], dtype=np.float32)

    @_translated
    def _row(self, id: str, column: str) -> dict[str, Any]:
        rows = self._table.search().where(f"id = {_quoted([id])}").select([column]).limit(1).to_list()
        if not rows:
            raise NotFound(f"no work {id} in build {self.build.name}")
        return dict(rows[0])

    @_translated
    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        # Ordered here: a Lance scan has no order of its own, and only keys are read before the cut.
        query = self._table.search().select(["id", "file"]).limit(self._table.count_rows() or 1)
        if where:
            query = query.where(_sql(where))
        keys = sorted((row["file"], row["id"]) for row in query.to_list())[offset : offset + limit]
        if not keys:
            return []
        ids = [id for _, id in keys]
        rows = (
            self._table.search()
            .where(f"id IN ({_quoted(ids)})")
            .select(["id", "payload"])
            .limit(len(ids))
            .to_list()
        )
        found = {row["id"]: _work(row) for row in rows}
        return [found[id] for id in ids]

    @_translated
    def search(self, vector: Vector, k: int, *, fingerprint: str, where: Filter = EVERYTHING) -> list[Hit]:
        query = check_query(self.build, vector, fingerprint, k)
        total = self._table.count_rows()
        if not total:
            return []
        wanted = min(k, total)
        fetch = min(wanted + 8, total)
        while True:
            search = (
                self._table.search(query, vector_column_name="vector").distance_type("cosine").limit(fetch)
            )
            if where:
                search = search.where(_sql(where), prefilter=True)
            rows = search.select(["id", "payload", "_distance"]).to_list()
            scored = sorted((-round(1.0 - row["_distance"], 6), row["id"], row["payload"]) for row in rows)
            # Ties go by id, so a cut that falls inside a tie needs all of the tie.
            if fetch == total or len(scored) < fetch or scored[wanted - 1][0] < scored[-1][0]:
                return [Hit(from_payload(json.loads(payload)), -score) for score, _, payload in scored[:k]]
            fetch = min(fetch * 4, total)


class LanceStore:
    """Builds as Lance tables in one folder, which the first build creates."""

    def __init__(self, folder: Path) -> None:
        self.address = f"lance://{folder}"
        self._folder = folder
        self._opened: dict[Build, LanceCollection] = {}

    def create(self, build: Build) -> LanceCollection:
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
            raise Unavailable(
                f"{self._folder / LIVE} names build {name!r}, which is gone; run `gallery refresh` to publish another"
            ) from error

    def publish(self, name: str) -> None:
        if not self._read(name).ready:
            raise Invalid(f"build {name} is not ready, so it cannot go live")
        self._write(self._folder / LIVE, name + "\n")

    def drop(self, name: str) -> None:
        if name == self._live_name():
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        # The manifest first: rows without one are not a build, so a drop cut short leaves no half of one.
        self._manifest(name).unlink(missing_ok=True)
        shutil.rmtree(self._folder / f"{name}.lance", ignore_errors=True)

    def _manifest(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise Invalid(f"{name!r} is no name for a build: letters, digits, - and _ only")
        return self._folder / f"{name}.json"

    def _live_name(self) -> str | None:
        try:
            return (self._folder / LIVE).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"{self._folder / LIVE} cannot be read ({error})") from error

    def _read(self, name: str) -> Build:
        path = self._manifest(name)
        try:
            return Build(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            raise NotFound(f"no build {name} in {self._folder}") from None
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(
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
            pa.field("genres", pa.list_(pa.string())),
            pa.field("nationalities", pa.list_(pa.string())),
            pa.field("life_start", pa.int32()),
            pa.field("life_end", pa.int32()),
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
        "genres": list(work.artist.genres),
        "nationalities": list(work.artist.nationalities),
        "life_start": start,
        "life_end": end,
        "payload": json.dumps(to_payload(work), ensure_ascii=False),
        "vector": row,
    }


def _work(row: dict[str, Any]) -> Artwork:
    return from_payload(json.loads(row["payload"]))


def _quoted(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _sql(where: Filter) -> str | None:
    terms = []
    if where.artists:
        terms.append(f"artist IN ({_quoted(where.artists)})")
    if where.genres:
        terms.append(f"array_has_any(genres, [{_quoted(where.genres)}])")
    if where.nationalities:
        terms.append(f"array_has_any(nationalities, [{_quoted(where.nationalities)}])")
    if where.since is not None:
        terms.append(f"life_end >= {int(where.since)}")
    if where.until is not None:
        terms.append(f"life_start <= {int(where.until)}")
    return " AND ".join(terms) or None


def open_lance(address: Address) -> LanceStore:
    """The store in the address's folder; nothing is created until the first build."""
    address.check_options()
    return LanceStore(address.path)
