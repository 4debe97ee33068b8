"""Downloads an archive, in one go or over several connections and processes."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from itertools import chain

from gallery.datasets.base import ProgressCallback
from gallery.datasets.kaggle.cache import ArchiveCache, PartialDownload
from gallery.datasets.kaggle.client import DatasetClient, Download
from gallery.datasets.kaggle.errors import unexpected_response
from gallery.datasets.kaggle.progress import TransferProgress, format_size
from gallery.datasets.kaggle.retry import ContentChanged, Retrier, Transient
from gallery.errors import Invalid

MIN_FREE_BYTES = 200_000_000
"""Space that must remain free on the disk after the download."""
RETRY_RESET_BYTES = 16 << 20
"""A connection that brought this much before it was cut does not count as a failed attempt."""
ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a zip, with files and without."""


def download_archive(
    client: DatasetClient, version: int, cache: ArchiveCache, progress: ProgressCallback
) -> None:
    """Complete the partial download of the version; its content is not verified here.

    Resumes after cut connections. After any error, the bytes received so far stay for the next call. Raises
    Invalid when the disk cannot hold the archive, and what `DatasetClient.download` raises.
    """
    retrier = Retrier(progress)

    def attempt() -> None:
        size, partial = cache.partial_size(version), cache.partial(version)
        if partial and size == partial.total:
            return
        try:
            with client.download(version, size, partial.validator if partial else None) as download:
                _save(download, version, cache, progress)
        except ContentChanged:
            cache.set_partial(version, None)
            raise
        finally:
            if cache.partial_size(version) - size >= RETRY_RESET_BYTES:
                retrier.reset()

    retrier.run(attempt)


def _save(download: Download, version: int, cache: ArchiveCache, progress: ProgressCallback) -> None:
    """Append to the partial file, or overwrite it when the download is a whole archive."""
    # Nothing is overwritten before the first bytes are here and look like a zip.
    first = next(download.chunks, b"")
    if not first:
        raise Transient("the connection to Kaggle was cut before any data arrived")
    if download.start == 0 and not first.startswith(ZIP_SIGNATURES):
        raise unexpected_response()
    path = cache.partial_path(version)
    size = cache.partial_size(version)
    if size and download.start == 0 and cache.partial(version):
        progress("the archive has changed since the download began; starting over")
    if download.total is not None:
        _check_disk_space(cache, download.total - download.start, size - download.start)
    try:
        if download.start == 0:
            cache.set_partial(version, None)
        with path.open("ab" if download.start else "wb", buffering=0) as file:
            if download.start == 0 and download.validator and download.total:
                cache.set_partial(version, PartialDownload(download.validator, download.total))
            _write(file, chain([first], download.chunks), download, progress)
            os.fsync(file.fileno())
    except OSError as error:
        raise Invalid(
            f"cannot write the download to {path} ({error.strerror}); the partial download is kept for the next "
            "attempt"
        ) from error
    received = cache.partial_size(version)
    if download.total is not None and received != download.total:
        raise Transient(
            f"the connection to Kaggle was cut after {format_size(received)} of {format_size(download.total)}"
        )


def _write(file: io.FileIO, chunks: Iterator[bytes], download: Download, progress: ProgressCallback) -> None:
    total = format_size(download.total) if download.total else "an archive of unknown size"
    if download.start:
        progress(f"resuming the download at {format_size(download.start)} of {total}")
    else:
        progress(f"downloading {total}")
    transfer = TransferProgress(progress, download.total, download.start)
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
        transfer.add(len(chunk))


def _check_disk_space(cache: ArchiveCache, needed: int, freed: int) -> None:
    """Raise Invalid unless `needed` bytes and the reserve fit, counting the bytes that overwriting frees."""
    free = shutil.disk_usage(cache.folder).free + freed
    if free < needed + MIN_FREE_BYTES:
        raise Invalid(
            f"{cache.folder} has {format_size(free)} free; the download needs {format_size(needed)} and a "
            f"reserve of {format_size(MIN_FREE_BYTES)}. Free some space or move GALLERY_HOME to a larger disk"
        )
