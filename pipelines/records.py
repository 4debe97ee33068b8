"""Small JSON records in the table store, one class per kind. Those of the lock are in `pipelines.lock`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from gallery.errors import Corrupted, NotFound
from gallery.objects.base import ObjectStore
from gallery.stored_json import parse_json

log = logging.getLogger(__name__)

RUNS = "runs/"


class Record(BaseModel):
    """A record that is stored under one key."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: ClassVar[str]

    def save(self, tables: ObjectStore, key: str | None = None) -> None:
        """Store the record, by default under the key of its class. Raises Unavailable."""
        tables.put(key or self.key, self.model_dump_json(indent=1).encode(), "application/json")

    @classmethod
    def load(cls, tables: ObjectStore, key: str | None = None) -> Self:
        """Return the stored record. Raises NotFound, or Corrupted if it is not of this shape."""
        key = key or cls.key
        try:
            return parse_json(cls, tables.get(key))
        except ValueError as error:
            raise Corrupted(
                f"{key} in {tables.address} cannot be read ({error}); `gallery refresh` replaces it"
            ) from error

    @classmethod
    def load_or_none(cls, tables: ObjectStore, key: str | None = None) -> Self | None:
        """Return the stored record, or None if there is none that can be read; a damaged one is logged."""
        try:
            return cls.load(tables, key)
        except NotFound:
            return None
        except Corrupted as error:
            log.warning("%s", error)
            return None


class DatasetRecord(Record):
    """The dataset that the tables were made from."""

    key = "dataset.json"
    address: str
    version: str
    generated: bool


class BuildDatasetsRecord(Record):
    """The dataset that each build was last made from, by build, oldest first."""

    key = "build_datasets.json"
    datasets: dict[str, DatasetRecord] = {}


class ScanRecord(Record):
    """The last scan: its run, the number of files read, and the digests of the originals it stored."""

    key = "scan.json"
    run: str
    read: int
    stored: list[str]


class EvaluationResult(BaseModel):
    """Whether a build may replace the live build `against` ("" for none), and the run that evaluated it."""

    build: str
    against: str
    passed: bool
    reasons: list[str]
    run: str
    at: str


class CandidateRecord(Record):
    """The build to publish next, and its evaluation once there is one."""

    key = "candidate.json"
    build: str
    works: int
    run: str
    evaluation: EvaluationResult | None = None


class Publication(BaseModel):
    """A change of the live build from `before` ("" for none) to `build`.

    `how` is refresh, rollback, or unrecorded if it was noticed later.
    """

    build: str
    before: str
    how: str
    run: str
    at: str


class PublicationsRecord(Record):
    """Changes of the live build, oldest first."""

    key = "publications.json"
    publications: list[Publication] = []


class RunRecord(Record):
    """The run that an asset was last materialized by, and when."""

    run: str
    at: str


def record_run(tables: ObjectStore, asset: str, run_id: str) -> None:
    """Store which run last materialized the asset, for `gallery lineage`."""
    RunRecord(run=run_id, at=now()).save(tables, f"{RUNS}{asset}.json")


def run_records(tables: ObjectStore) -> dict[str, RunRecord]:
    """Return the last run of each asset."""
    records = {
        key.removeprefix(RUNS).removesuffix(".json"): RunRecord.load_or_none(tables, key)
        for key in tables.sizes(RUNS)
    }
    return {asset: record for asset, record in records.items() if record}


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
