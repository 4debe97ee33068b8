"""Datasets: the sources of images, each in the layout of the Kaggle archive.

artists.csv
images/images/<Artist_Name>/<file>.jpg
resized/…                                 (ignored: the same images, smaller)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gallery.addresses import Option, Registry, Scheme

ARTISTS_CSV = "artists.csv"
PICTURES = "images/images/"
IGNORED = ("resized/", "__MACOSX/")
"""Top-level folders that do not belong to the dataset: smaller copies, and what macOS adds to a zip."""
CLUTTER = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that desktop systems leave in folders."""


ProgressCallback = Callable[[str], None]
"""Takes one line of progress text."""


def no_progress(_: str) -> None:
    """Ignore progress."""


def is_ignored(path: str) -> bool:
    """Return whether a file is not meant to be an image, so that it does not count as a rejected one."""
    name = path.rpartition("/")[2]
    return path == ARTISTS_CSV or path.startswith(IGNORED) or name in CLUTTER or name.startswith("._")


@dataclass(frozen=True)
class Entry:
    """A file in an archive: its path with forward slashes, and the size in bytes that the archive claims.

    `signature` changes whenever the content does, and is known without reading it.
    """

    path: str
    size: int
    signature: str


class Archive(Protocol):
    """Files by path, read one at a time. Thread-safe."""

    def entries(self) -> list[Entry]:
        """Return every file, without folders, ordered by path."""

    def read(self, path: str, limit: int) -> bytes:
        """Return the file's bytes, verified with the archive's checksum.

        Raises NotFound, or Invalid if the file is damaged, encrypted, leads out of the archive, or has more
        than `limit` bytes, whatever its header says.
        """

    def close(self) -> None:
        """Close the archive's file."""


class Dataset(Protocol):
    """A set of images that can be fetched."""

    address: str
    generated: bool
    """Whether this program generated the images; pages say so."""

    def version(self) -> str:
        """Return the name of the current content, without fetching it. Raises Invalid, Unavailable."""

    def fetch(self, progress: ProgressCallback = no_progress) -> Archive:
        """Return the dataset as a local archive; nothing is fetched twice. Raises Invalid, Unavailable."""


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
"""Factories take `(address, *, home: Path)`; downloads are kept below `home`."""
