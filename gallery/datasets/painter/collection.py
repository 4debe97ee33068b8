"""The collection as a zip: the catalogue, the pictures, and the faults that the real archive taught us."""

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

from gallery.datasets.painter.easels import paint_sittings
from gallery.datasets.painter.lives import biography
from gallery.datasets.painter.newcomers import painter_at
from gallery.datasets.painter.painters import ARTICLES
from gallery.datasets.painter.picture import Sitting

PICTURES = "images/images"
COLUMNS = ("id", "name", "years", "genre", "nationality", "bio", "wikipedia", "paintings")
SITTING = 24  # works painted in one go
LEAST_ARTISTS = 4  # in a smaller collection the faults would be most of it

MISSPELT, FEW, BROKEN = 1, 2, 3  # the artists that the faults befall, by index
KEPT_OF_BROKEN = 0.4  # of the file's bytes


@dataclass(frozen=True)
class Faults:
    """What is wrong with a collection on purpose."""

    misspelt_name: str
    misspelt_folders: tuple[str, str]  # the same pictures under each
    few_name: str
    few_works: int
    broken_path: str  # of the JPEG that ends early


def faults_in(artists: int, works: int) -> Faults | None:
    """The faults of a collection of that size, None where it is too small for any."""
    if artists < LEAST_ARTISTS:
        return None
    return Faults(
        misspelt_name=painter_at(MISSPELT).name,
        misspelt_folders=_misspelt(painter_at(MISSPELT).folder),
        few_name=painter_at(FEW).name,
        few_works=(works + 1) // 2,
        broken_path=_path(painter_at(BROKEN).folder, (works + 1) // 2),
    )


def paint_archive(
    path: Path,
    *,
    artists: int = 50,
    works: int = 24,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the collection as a zip in the Kaggle layout: artists.csv and images/images/<Artist>/<Artist>_<n>.jpg.

    The same parameters write the same bytes, as long as Pillow and NumPy stay the same; a work is the same
    picture in a collection of any size. `progress` is told how many pictures are done, of how many. Nothing
    lies at `path` before the whole is written.
    """
    faults = faults_in(artists, works)
    counts = [works] * artists
    if faults:
        counts[FEW] = faults.few_works
    sittings = [
        Sitting(seed, artist, first, min(first + SITTING, count))
        for artist, count in enumerate(counts)
        for first in range(0, count, SITTING)
    ]
    done, total = 0, sum(counts)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "artists.csv", _catalogue(counts))
            for sitting, jpegs in zip(sittings, paint_sittings(sittings), strict=True):
                for number, jpeg in enumerate(jpegs, sitting.first + 1):
                    for entry in _paths(sitting.artist, number, faults):
                        whole = not faults or entry != faults.broken_path
                        _add(archive, entry, jpeg if whole else jpeg[: int(len(jpeg) * KEPT_OF_BROKEN)])
                done += len(jpegs)
                if progress:
                    progress(done, total)
        Path(name).chmod(0o644)  # mkstemp leaves it to its owner alone
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _catalogue(counts: list[int]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for artist, count in enumerate(counts):
        painter = painter_at(artist)
        rows.writerow(
            (
                artist,
                painter.name,
                painter.years,
                ",".join(painter.genres),
                ",".join(painter.nationalities),
                biography(painter),
                f"https://en.wikipedia.org/wiki/{ARTICLES[painter.genres[0]]}",
                count,
            )
        )
    return text.getvalue().encode("utf-8")


def _paths(artist: int, number: int, faults: Faults | None) -> list[str]:
    misspelt = faults is not None and artist == MISSPELT
    folders = faults.misspelt_folders if faults and misspelt else (painter_at(artist).folder,)
    return [_path(folder, number) for folder in folders]


def _path(folder: str, number: int) -> str:
    return f"{PICTURES}/{folder}/{folder}_{number}.jpg"


def _misspelt(folder: str) -> tuple[str, str]:
    """The folder as macOS spells it, read as cp437 once and twice: that is what the real archive holds."""
    once = unicodedata.normalize("NFD", folder).encode("utf-8").decode("cp437")
    return once, once.encode("utf-8").decode("cp437")


def _add(archive: zipfile.ZipFile, path: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = (
        3  # Unix everywhere, or the same parameters would not write the same bytes on Windows
    )
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)
