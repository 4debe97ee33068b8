"""Datasets: where the pictures come from, each in the layout of the Kaggle archive.

artists.csv
images/images/<Artist_Name>/<file>.jpg
resized/…                                 (ignored: the same pictures, smaller)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gallery.addresses import Option, Registry, Scheme

ARTISTS_CSV = "artists.csv"
PICTURES = "images/images/"
IGNORED = ("resized/", "__MACOSX/")
"""Folders at the top that are no part of the dataset: smaller copies, and what a Mac adds to a zip."""
CLUTTER = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that desktops leave in folders."""


ProgressCallback = Callable[[str], None]
"""Takes a line of progress for a person."""


def no_progress(_: str) -> None:
    """Progress that nobody watches."""


def is_ignored(path: str) -> bool:
    """True for a file that is neither a picture nor meant as one, so that it is not counted among the unusable."""
    name = path.rpartition("/")[2]
    return path == ARTISTS_CSV or path.startswith(IGNORED) or name in CLUTTER or name.startswith("._")


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its path with forward slashes, and the size in bytes that the archive claims."""

    path: str
    size: int


class Archive(Protocol):
    """Files by path, read one at a time. May be read from several threads."""

    def entries(self) -> list[Entry]:
        """Every file, sorted by path; folders are left out."""

    def read(self, path: str, limit: int) -> bytes:
        """The file's bytes, checked against the archive's own checksum.

        Raises NotFound, or Invalid with the reason: it is damaged, encrypted, climbs out of the archive, or
        holds more than `limit` bytes, whatever its header says.
        """

    def close(self) -> None:
        """Let go of the file."""


class Dataset(Protocol):
    """A set of pictures that can be fetched."""

    address: str
    generated: bool
    """True when this program painted the pictures; shown wherever they are."""

    def version(self) -> str:
        """What the dataset's content is called now, without fetching it. Raises Invalid, Unavailable."""

    def fetch(self, progress: ProgressCallback = no_progress) -> Archive:
        """The dataset as a local archive; nothing is fetched twice. What takes time is told to `progress`.

        Raises Invalid, Unavailable.
        """


DATASETS: Registry[Dataset] = Registry(
    "dataset",
    "GALLERY_DATASET",
    {
        "kaggle": Scheme(
            "gallery.datasets.kaggle:open_kaggle",
            "kaggle://ikarus777/best-artworks-of-all-time",
            (
                Option(
                    "version",
                    "Stay at this version of the dataset; the newest when not set.",
                    None,
                    (1, 1_000_000),
                ),
            ),
            extra="kaggle",
        ),
        "file": Scheme("gallery.datasets.archive:open_file", "file:///data/archive.zip, or a folder"),
        "sample": Scheme(
            "gallery.datasets.sample:open_sample",
            "sample://?artists=50&works=24&seed=7",
            (
                Option("artists", "Invented artists.", 50, (1, 5_000)),
                Option("works", "Works of each artist.", 24, (1, 1_000)),
                Option("seed", "Another seed gives another collection.", 7, (0, 2**31)),
            ),
        ),
    },
)
"""Factories take `(address, *, home: Path)`; whatever they download is kept below `home`."""
