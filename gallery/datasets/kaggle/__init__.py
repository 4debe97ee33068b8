"""A dataset on Kaggle: ``kaggle://owner/name``, or one version of it with ``?version=3``.

The archive is downloaded once for each version, verified, and kept below GALLERY_HOME.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from urllib.parse import quote

from gallery.addresses import Address
from gallery.datasets.archive import open_archive
from gallery.datasets.base import Archive, ProgressCallback, no_progress
from gallery.datasets.kaggle.download import complete_part
from gallery.datasets.kaggle.service import KaggleService
from gallery.datasets.kaggle.shelf import Shelf, find_damage
from gallery.errors import Invalid, Unavailable

OWNER_AND_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})/([A-Za-z0-9][A-Za-z0-9_-]{0,99})")
"""What Kaggle makes names of."""

log = logging.getLogger(__name__)


class KaggleDataset:
    """A dataset of Kaggle's; `pinned` is the number of the version to stay with, or None for the newest."""

    generated = False

    def __init__(self, owner: str, name: str, folder: Path, pinned: int | None = None) -> None:
        self.address = f"kaggle://{owner}/{name}" + (f"?version={pinned}" if pinned else "")
        self._pinned = pinned
        self._service = KaggleService(owner, name)
        self._shelf = Shelf(folder)
        self._told: int | None = None

    def version(self) -> str:
        """The number of the newest version, or the pinned one, which Kaggle is asked about all the same.

        Where Kaggle is not to be reached this is Unavailable, whatever lies here from before: the words name it.
        """
        self._told = self._ask(log.info)
        return str(self._told)

    def fetch(self, progress: ProgressCallback = no_progress) -> Archive:
        """The archive of the version that `version` told of last, or of the one that it would tell of now."""
        version = self._told or self._ask(progress)
        with self._shelf.lock(progress):
            path = self._shelf.archive(version)
            if not self._shelf.is_verified(version):
                if path.exists() and self._still_sound(version, progress):
                    self._shelf.mark_verified(version)
                else:
                    self._download(version, progress)
            archive = open_archive(path)
            # Only now: whatever failed before this, the older archive is still there.
            self._shelf.clear_but(version)
        return archive

    def _ask(self, progress: ProgressCallback) -> int:
        try:
            newest = self._service.current_version(progress)
        except Unavailable as error:
            raise Unavailable(f"{error}{self._instead()}") from error
        if self._pinned and self._pinned > newest:
            raise Invalid(f"{self.address}: there is no such version yet, the newest is {newest}")
        return self._pinned or newest

    def _still_sound(self, version: int, progress: ProgressCallback) -> bool:
        """Whether an archive that was touched since it was verified, or never was, is as it should be."""
        progress(f"checking {self._shelf.archive(version)}, which is not as it was left")
        damage = find_damage(self._shelf.archive(version), progress)
        if damage:
            progress(f"it is damaged ({damage}) and will be replaced")
        return damage is None

    def _download(self, version: int, progress: ProgressCallback) -> None:
        part = self._shelf.part(version)
        for last in (False, True):
            try:
                complete_part(self._service, version, self._shelf, progress)
            except Unavailable as error:
                kept = "; what came so far is kept for the next time" if self._shelf.origin(version) else ""
                raise Unavailable(f"{error}{kept}{self._instead()}") from error
            damage = find_damage(part, progress)
            if damage is None:
                self._shelf.put_in_place(version)
                progress(f"version {version} of {self.address} is here and sound")
                return
            self._shelf.set_origin(version, None)  # it must not be gone on with
            if not last:
                progress(f"the download is damaged ({damage}); downloading it once more from the start")
        raise Invalid(
            f"version {version} of {self.address} arrived damaged twice ({damage}). The second try lies at {part} "
            f"to be looked at; the next fetch starts again{self._instead()}"
        )

    def _instead(self) -> str:
        held = self._shelf.newest_verified()
        if held is None:
            return "; try again later"
        version, path = held
        return f". To go on without Kaggle, GALLERY_DATASET=file://{quote(str(path.absolute()))} is its version {version}"


def open_kaggle(address: Address, *, home: Path) -> KaggleDataset:
    """The dataset ``kaggle://owner/name``, kept below `home`. Raises Invalid, without repeating what may be a secret."""
    if "@" in address.location or ":" in address.location:
        raise Invalid("a kaggle:// address holds no credentials: they go into KAGGLE_API_TOKEN or ~/.kaggle")
    for option in address.options:
        if option != "version":
            raise Invalid(
                f"kaggle://{address.location}: unknown option {option!r} (options of kaggle://: version)"
            )
    match = OWNER_AND_NAME.fullmatch(address.location)
    if match is None:
        raise Invalid(
            f"kaggle://{address.location} is not kaggle://owner/name, as in kaggle://ikarus777/best-artworks-of-all-time"
        )
    owner, name = match.groups()
    pinned = address.integer("version", 0, 1, 1_000_000) or None
    return KaggleDataset(owner, name, home / "kaggle" / owner / name, pinned)
