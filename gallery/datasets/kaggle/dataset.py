"""The dataset ``kaggle://owner/name``, or one version of it with ``?version=3``.

The archive of each version is downloaded once, verified, and kept below GALLERY_HOME.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote

from gallery.addresses import Address
from gallery.datasets.archive import open_archive
from gallery.datasets.base import Archive, ProgressCallback, no_progress
from gallery.datasets.kaggle.cache import ArchiveCache, find_damage
from gallery.datasets.kaggle.client import DatasetClient
from gallery.datasets.kaggle.download import download_archive
from gallery.datasets.kaggle.retry import Retrier
from gallery.errors import Invalid, Unavailable

log = logging.getLogger(__name__)


class KaggleDataset:
    """A dataset on Kaggle; `pinned` is the version to use, or None for the newest."""

    generated = False

    def __init__(self, owner: str, name: str, folder: Path, pinned: int | None = None) -> None:
        self.address = f"kaggle://{owner}/{name}" + (f"?version={pinned}" if pinned else "")
        self._pinned = pinned
        self._client = DatasetClient(owner, name)
        self._cache = ArchiveCache(folder)
        self._version: int | None = None

    def version(self) -> str:
        """Return the newest version's number, or the pinned one. Asks Kaggle in both cases.

        Raises Unavailable if Kaggle cannot be reached, even if an archive is cached; the message names it.
        """
        self._version = self._query_version(log.info)
        return str(self._version)

    def fetch(self, progress: ProgressCallback = no_progress, version: str | None = None) -> Archive:
        """Return the archive of a version, by default the one that `version` last returned or returns now.

        Does not call Kaggle for a given version whose archive is cached.
        """
        wanted = int(version) if version else self._version or self._query_version(progress)
        with self._cache.lock(progress):
            path = self._cache.archive_path(wanted)
            if not self._cache.is_verified(wanted):
                if path.exists() and self._is_intact(path, progress):
                    self._cache.mark_verified(wanted)
                else:
                    self._download(wanted, progress)
            archive = open_archive(path)
            # Last, so that the older archive survives any failure above.
            self._cache.delete_other_versions(wanted)
        return archive

    def _query_version(self, progress: ProgressCallback) -> int:
        try:
            newest = Retrier(progress).run(self._client.newest_version)
        except Unavailable as error:
            raise Unavailable(f"{error}{self._alternative()}") from error
        if self._pinned and self._pinned > newest:
            raise Invalid(f"{self.address} does not exist yet; the newest version is {newest}")
        return self._pinned or newest

    def _is_intact(self, path: Path, progress: ProgressCallback) -> bool:
        progress(f"checking {path}, which changed since it was verified")
        damage = find_damage(path)
        if damage:
            progress(f"it is damaged ({damage}) and will be replaced")
        return damage is None

    def _download(self, version: int, progress: ProgressCallback) -> None:
        path = self._cache.partial_path(version)
        for is_last in (False, True):
            try:
                download_archive(self._client, version, self._cache, progress)
            except Unavailable as error:
                kept = (
                    "; the partial download is kept for the next attempt"
                    if self._cache.partial(version)
                    else ""
                )
                raise Unavailable(f"{error}{kept}{self._alternative()}") from error
            damage = find_damage(path)
            if damage is None:
                self._cache.commit(version)
                progress(f"downloaded and verified version {version} of {self.address}")
                return
            self._cache.set_partial(version, None)  # a damaged download must not be resumed
            if not is_last:
                progress(f"the download is damaged ({damage}); downloading it again")
        raise Invalid(
            f"version {version} of {self.address} was damaged in two downloads ({damage}). The second one is "
            f"kept at {path} for inspection; the next fetch starts over{self._alternative()}"
        )

    def _alternative(self) -> str:
        """Return the end of an error message: how to continue without Kaggle."""
        cached = self._cache.newest_verified()
        if cached is None:
            return "; try again later"
        version, path = cached
        address = f"file://{quote(str(path.absolute()))}"
        return f". To continue without Kaggle, set GALLERY_DATASET={address} (version {version})"


def open_kaggle(address: Address, *, home: Path) -> KaggleDataset:
    """Return the dataset, cached below `home`."""
    owner, name = address.location.split("/")
    pinned = address.integer("version")
    return KaggleDataset(owner, name, home / "kaggle" / owner / name, pinned)
