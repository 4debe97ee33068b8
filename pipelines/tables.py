"""The pipeline's tables: pandas frames stored as Parquet, each with a declared schema.

Assets pass data to each other through these, in a store that every machine can reach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from gallery.errors import Corrupted, Invalid, NotFound
from gallery.objects.base import ObjectStore
from pipelines.parquet import read_parquet, write_parquet

TEXT, WHOLE, SHARE, TEXTS = pa.string(), pa.int64(), pa.float64(), pa.list_(pa.string())
BINARY, FLAG = pa.binary(), pa.bool_()


@dataclass(frozen=True)
class Table:
    """The name of a table and its columns, each with its type and a description."""

    name: str
    columns: dict[str, tuple[pa.DataType, str]]

    @property
    def schema(self) -> pa.Schema:
        """The columns as a Parquet schema."""
        return pa.schema([pa.field(name, kind) for name, (kind, _) in self.columns.items()])

    @property
    def key(self) -> str:
        """The key in the table store."""
        return f"{self.name}.parquet"

    def frame(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Return the rows as a frame with all columns of this table, even if there are none."""
        return pa.Table.from_pylist(rows, schema=self.schema).to_pandas(types_mapper=_PANDAS.get)

    def write(self, store: ObjectStore, frame: pd.DataFrame) -> str:
        """Store the frame; return a digest of its content. Raises Invalid if it does not fit the schema."""
        try:
            table = pa.Table.from_pandas(frame, schema=self.schema, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError) as error:
            raise Invalid(f"table {self.name}: the rows do not fit its schema ({error})") from error
        table = table.replace_schema_metadata(None)  # pandas' own metadata is not part of the content
        return hashlib.sha256(write_parquet(store, self.key, table)).hexdigest()[:16]

    def read_or_none(self, store: ObjectStore) -> pd.DataFrame | None:
        """Return the stored frame, or None if there is none that can be read."""
        try:
            return self.read(store)
        except (NotFound, Corrupted):
            return None

    def read(self, store: ObjectStore) -> pd.DataFrame:
        """Return the stored frame. Raises NotFound if it does not exist, Corrupted if it cannot be read."""
        try:
            return read_parquet(store, self.key, self.schema).to_pandas(types_mapper=_PANDAS.get)
        except NotFound:
            raise NotFound(
                f"the table `{self.name}` does not exist yet; run `gallery refresh`, or materialize its asset"
            ) from None


def count_changes(
    before: pd.DataFrame | None, after: pd.DataFrame, *, key: str, by: Sequence[str]
) -> dict[str, int]:
    """Return the numbers of new, changed, removed and unchanged rows.

    Rows with the same `key` are compared; a row has changed if it differs in one of the columns `by`.
    """

    def rows(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
        columns = [[str(value) for value in frame[name]] for name in by]
        return dict(zip(frame[key], zip(*columns, strict=True), strict=True))

    old, now = {} if before is None else rows(before), rows(after)
    new = sum(id not in old for id in now)
    changed = sum(id in old and old[id] != row for id, row in now.items())
    removed = sum(id not in now for id in old)
    return {"new": new, "changed": changed, "removed": removed, "unchanged": len(now) - new - changed}


# Strings and whole numbers that may be missing: by default, a missing year turns all years into floats.
_PANDAS: dict[pa.DataType, Any] = {pa.string(): pd.StringDtype(na_value=pd.NA), pa.int64(): pd.Int64Dtype()}

SNAPSHOT = Table(
    "snapshot",
    {
        "path": (TEXT, "path in the archive"),
        "size": (WHOLE, "bytes, as the archive declares"),
        "signature": (
            TEXT,
            "changes with the content: size and checksum in a zip, size and times in a folder",
        ),
    },
)
ARTISTS = Table(
    "artists",
    {
        "slug": (TEXT, "identifies the artist in URLs"),
        "name": (TEXT, "the corrected name, NFC"),
        "birth": (WHOLE, "year"),
        "death": (WHOLE, "year"),
        "styles": (TEXTS, ""),
        "nationalities": (TEXTS, ""),
        "summary": (TEXT, "the first sentences of the bio, about 400 characters"),
        "bio": (TEXT, "the whole text of artists.csv"),
        "wikipedia": (TEXT, "link"),
        "folders": (TEXTS, "folders of the artist in the archive, with their spelling"),
        "files": (WHOLE, "files in those folders"),
    },
)
FILES = Table(
    "files",
    {
        "path": (TEXT, "path in the archive"),
        "size": (WHOLE, "bytes"),
        "sha256": (TEXT, "digest of the content in hex; empty if it cannot be read"),
        "artist": (TEXT, "slug; empty if the folder is not an artist's"),
        "status": (TEXT, "kept, duplicate or quarantined"),
        "reason": (TEXT, "why it is not kept; empty if it is"),
        "work": (TEXT, "id of the work; for a duplicate, of its original; empty if quarantined"),
    },
)
ARTWORKS = Table(
    "artworks",
    {
        "id": (TEXT, "uuid5 of artist and file name"),
        "artist": (TEXT, "slug"),
        "file": (TEXT, "path in the archive"),
        "sha256": (TEXT, "digest of the content in hex"),
        "size": (WHOLE, "bytes"),
        "width": (WHOLE, "pixels, upright"),
        "height": (WHOLE, "pixels, upright"),
        "color": (TEXT, "mean colour as #rrggbb"),
        "phash": (TEXT, "64-bit difference hash in hex"),
        "extension": (TEXT, "of the format that was detected"),
        "pixels": (TEXT, "digest of the decoded image in hex"),
    },
)
INFO_COLUMNS = ("width", "height", "color", "phash", "extension", "pixels")
"""Columns that are facts about the image (`ImageInfo`)."""
CONTENTS = Table(
    "contents",
    {
        "path": (TEXT, "path in the archive"),
        "signature": (TEXT, "that the file had when it was read"),
        "size": (WHOLE, "bytes"),
        "sha256": (TEXT, "digest of the content in hex; empty if it could not be read"),
        "fault": (TEXT, "why it could not be read; empty if it could"),
        **{name: ARTWORKS.columns[name] for name in INFO_COLUMNS},
        "image_fault": (TEXT, "why it is not a usable image; empty if it is"),
        "preview": (BINARY, "small PNG of an image outside the artists' folders; else empty"),
        "stored": (FLAG, "whether its original or thumbnails were stored while it was read"),
        "max_file": (WHOLE, "limit in bytes when it was read"),
        "max_pixels": (WHOLE, "limit in pixels when it was decoded"),
    },
)
SAMPLE = Table(
    "sample",
    {
        "id": (TEXT, "the work"),
        "artist": (TEXT, "slug"),
        "rank": (WHOLE, "rank among the artist's works, from 1"),
        "file": (TEXT, "path in the archive"),
        "sha256": (TEXT, "digest of the content in hex"),
    },
)
IMAGES = Table(
    "images",
    {
        "id": (TEXT, "the work"),
        "sha256": (TEXT, "digest of the original in hex"),
        "original": (TEXT, "key in the image store"),
        "large": (TEXT, "key in the image store"),
        "small": (TEXT, "key in the image store"),
        "fault": (TEXT, "why the work has no images; empty if it has"),
    },
)
INVENTORY = Table(
    "inventory",
    {
        "key": (TEXT, "key in the image store"),
        "sha256": (TEXT, "digest of the object in hex"),
        "etag": (TEXT, "of the object when it was last known to be whole; empty to read it again"),
    },
)
QUARANTINE = Table(
    "quarantine",
    {
        "path": (TEXT, "path in the archive"),
        "size": (WHOLE, "bytes"),
        "sha256": (TEXT, "digest of the content in hex; empty if it cannot be read"),
        "kind": (TEXT, "the reason without names and numbers"),
        "reason": (TEXT, "why it is not a work of the catalogue"),
    },
)
EVALUATION = Table(
    "evaluation",
    {
        "metric": (TEXT, "what was measured"),
        "candidate": (SHARE, "of the candidate, over all of its queries"),
        "shared": (SHARE, "of the candidate, over the queries of both builds"),
        "live": (SHARE, "of the live build, over the queries of both builds"),
        "minimum": (SHARE, "lowest value that the candidate may have"),
        "max_drop": (SHARE, "how far the candidate may be below the live build"),
        "problem": (TEXT, "what is wrong with it; empty if nothing is"),
    },
)
TABLES = {
    table.name: table
    for table in (
        SNAPSHOT,
        ARTISTS,
        FILES,
        ARTWORKS,
        CONTENTS,
        QUARANTINE,
        SAMPLE,
        IMAGES,
        INVENTORY,
        EVALUATION,
    )
}


def build_table(store_address: str, build: str) -> Table:
    """Return the table of a build's manifest: its works, their files and their objects."""
    return Table(
        f"{build_folder(store_address)}{build}",
        {
            "id": (TEXT, "the work"),
            "file": (TEXT, "path in the archive"),
            **{name: IMAGES.columns[name] for name in ("sha256", "original", "large", "small")},
            "digest": (TEXT, "digest of all that the collection stores about the work"),
            "artist": (TEXT, "slug"),
            "facts": (TEXTS, "what is known of the artist: bio, years, …"),
        },
    )


def build_folder(store_address: str) -> str:
    """Return the folder of one vector store's manifests, since stores may have builds of the same name."""
    return f"builds/{hashlib.sha256(store_address.encode()).hexdigest()[:8]}/"
