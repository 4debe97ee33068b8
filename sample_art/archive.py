"""Writes the collection as a zip in the Kaggle layout, with the faults of the real archive."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sample_art.artists import ARTICLES
from sample_art.biographies import biography
from sample_art.generated_artists import artist_at
from sample_art.image import Batch
from sample_art.pool import paint_batches

IMAGE_FOLDER = "images/images"
COLUMNS = ("id", "name", "years", "genre", "nationality", "bio", "wikipedia", "paintings")
BATCH_WORKS = 24
MIN_ARTISTS_FOR_FAULTS = 4  # a smaller collection would be mostly faulty

MISSPELT_ARTIST, FEW_WORKS_ARTIST, BROKEN_FILE_ARTIST = 1, 2, 3  # indices of the artists with faults
BROKEN_FILE_SHARE = 0.4  # share of the broken file's bytes that is written


@dataclass(frozen=True)
class Faults:
    """The deliberate faults in a collection."""

    misspelt_name: str
    misspelt_folders: tuple[str, str]  # both contain the same images
    few_name: str
    few_works: int
    broken_path: str  # path of the truncated JPEG


def faults_in(artists: int, works: int) -> Faults | None:
    """Return the faults of a collection of this size, or None if it is too small for any."""
    if artists < MIN_ARTISTS_FOR_FAULTS:
        return None
    return Faults(
        misspelt_name=artist_at(MISSPELT_ARTIST).name,
        misspelt_folders=_misspelt(artist_at(MISSPELT_ARTIST).folder),
        few_name=artist_at(FEW_WORKS_ARTIST).name,
        few_works=(works + 1) // 2,
        broken_path=_path(artist_at(BROKEN_FILE_ARTIST).folder, (works + 1) // 2),
    )


def write_archive(
    path: Path,
    *,
    artists: int = 50,
    works: int = 24,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the collection as a zip: artists.csv and images/images/<Artist>/<Artist>_<n>.jpg.

    The same parameters give the same bytes with the same versions of Pillow and NumPy; a work is the same
    image in a collection of any size. `progress` is called with the number of images done and the total.
    `path` is replaced once the whole archive is written. Raises `pool.WorkerDied`.
    """
    faults = faults_in(artists, works)
    counts = [works] * artists
    if faults:
        counts[FEW_WORKS_ARTIST] = faults.few_works
    batches = [
        Batch(seed, artist, first, min(first + BATCH_WORKS, count))
        for artist, count in enumerate(counts)
        for first in range(0, count, BATCH_WORKS)
    ]
    done, total = 0, sum(counts)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "artists.csv", _catalog(counts))
            for batch, jpegs in zip(batches, paint_batches(batches), strict=True):
                for number, jpeg in enumerate(jpegs, batch.first + 1):
                    for entry in _paths(batch.artist, number, faults):
                        intact = not faults or entry != faults.broken_path
                        _add(archive, entry, jpeg if intact else jpeg[: int(len(jpeg) * BROKEN_FILE_SHARE)])
                done += len(jpegs)
                if progress:
                    progress(done, total)
        with Path(name).open("rb") as written:
            os.fsync(written.fileno())  # so that a power cut does not leave an archive of zeros
        Path(name).chmod(0o644)  # mkstemp makes it readable only by its owner
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _catalog(counts: list[int]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for index, count in enumerate(counts):
        artist = artist_at(index)
        rows.writerow(
            (
                index,
                artist.name,
                artist.years,
                ",".join(artist.styles),
                ",".join(artist.nationalities),
                biography(artist),
                f"https://en.wikipedia.org/wiki/{ARTICLES[artist.styles[0]]}",
                count,
            )
        )
    return text.getvalue().encode("utf-8")


def _paths(artist: int, number: int, faults: Faults | None) -> list[str]:
    misspelt = faults is not None and artist == MISSPELT_ARTIST
    folders = faults.misspelt_folders if faults and misspelt else (artist_at(artist).folder,)
    return [_path(folder, number) for folder in folders]


def _path(folder: str, number: int) -> str:
    return f"{IMAGE_FOLDER}/{folder}/{folder}_{number}.jpg"


def _misspelt(folder: str) -> tuple[str, str]:
    """Return the folder's name decoded once and twice as cp437, from decomposed UTF-8, as macOS zips give."""
    once = unicodedata.normalize("NFD", folder).encode("utf-8").decode("cp437")
    return once, once.encode("utf-8").decode("cp437")


def _add(archive: zipfile.ZipFile, path: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # always Unix, so that Windows writes the same bytes
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)
