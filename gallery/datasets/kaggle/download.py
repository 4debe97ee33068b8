"""Downloads an archive, and resumes a download that an earlier connection or process began."""

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
"""Disk space to leave free after the download."""
RETRY_RESET_BYTES = 16 << 20
"""A connection that delivered this much before it was cut does not count as a failed attempt."""
ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a zip, with and without files."""


def download_archive(
    client: DatasetClient, version: int, cache: ArchiveCache, progress: ProgressCallback
) -> None:
    """Complete the version's partial download, without verifying its content.

    Resumes after cut connections. After an error, the bytes received are kept for the next call. Raises
    Invalid if the disk is too small or fails, and the errors of `DatasetClient.download`.
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
    """Append the download to the partial file, or overwrite the file if it starts at byte 0."""
    # Overwrite nothing until the first bytes have arrived and look like a zip.
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
            f"cannot write the download to {path} ({error.strerror}); the partial download is kept for the "
            "next attempt"
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
    """Raise Invalid unless `needed` bytes and the reserve fit; `freed` is what overwriting frees."""
    free = shutil.disk_usage(cache.folder).free + freed
    if free < needed + MIN_FREE_BYTES:
        raise Invalid(
            f"{cache.folder} has {format_size(free)} free; the download needs {format_size(needed)} and a "
            f"reserve of {format_size(MIN_FREE_BYTES)}. Free some space or move GALLERY_HOME to a larger disk"
        )
