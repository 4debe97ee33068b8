"""The download of an archive: in one go, or in as many as it takes."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator

from gallery.datasets.base import ProgressCallback
from gallery.datasets.kaggle.patience import OtherContent, Patience, Transient
from gallery.datasets.kaggle.progress import Progress, size
from gallery.datasets.kaggle.service import Body, KaggleService
from gallery.datasets.kaggle.shelf import Origin, Shelf
from gallery.errors import Invalid, Unavailable

MARGIN = 200_000_000
"""Bytes that must stay free on the disk beyond the archive."""
WORTHWHILE = 16 << 20
"""Bytes after which a connection that was cut counts as having brought something."""
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip with files begins, and one without."""


def complete_part(service: KaggleService, version: int, shelf: Shelf, progress: ProgressCallback) -> None:
    """Complete the version's part on the shelf: of the announced length, not yet verified.

    A connection that is cut is resumed a few times. Whatever is raised, what had come lies there for the next time.
    Raises Invalid where the disk cannot hold it, and what `KaggleService.archive` raises.
    """
    patience = Patience(progress)
    while True:
        had = _length(shelf, version)
        origin = shelf.origin(version)
        if origin and had == origin.total:
            return
        try:
            if origin and 0 < had < origin.total:
                with service.archive(version, start=had, validator=origin.validator) as body:
                    _receive(body, version, shelf, progress)
            else:
                with service.archive(version) as body:
                    _receive(body, version, shelf, progress)
            return
        except Transient as trouble:
            reason = trouble
        if isinstance(reason, OtherContent):
            shelf.set_origin(version, None)
        if _length(shelf, version) - had >= WORTHWHILE:
            patience.renew()
        patience.wait(reason)


def _receive(body: Body, version: int, shelf: Shelf, progress: ProgressCallback) -> None:
    """Append the body to the part, or begin the part again where the body is a whole archive."""
    # Looked at before anything is overwritten.
    first = next(body.chunks, b"")
    if not first:
        raise Transient("the connection to Kaggle was cut before anything came")
    if body.start == 0 and not first.startswith(ZIP_STARTS):
        raise Unavailable(
            f"what came is no zip but {body.content_type}: a proxy's or a log-in page, perhaps? Open "
            "https://www.kaggle.com from this machine"
        )
    part = shelf.part(version)
    had = _length(shelf, version)
    if had and body.start == 0 and shelf.origin(version):
        progress("the archive is another one than what was begun; starting again")
    if body.total is not None:
        _check_room(shelf, body.total - body.start, had - body.start)
    try:
        if body.start == 0:
            shelf.set_origin(version, None)
        with part.open("ab" if body.start else "wb", buffering=0) as file:
            if body.start == 0 and body.validator and body.total:
                shelf.set_origin(version, Origin(body.validator, body.total))
            _write(file, first, body, progress)
            os.fsync(file.fileno())
    except OSError as error:
        raise Invalid(
            f"the download cannot be written to {part} ({error.strerror}); what came so far is kept for the next time"
        ) from error
    came = _length(shelf, version)
    if body.total is not None and came != body.total:
        raise Transient(f"the connection to Kaggle was cut after {size(came)} of {size(body.total)}")


def _write(file: io.FileIO, first: bytes, body: Body, progress: ProgressCallback) -> None:
    if body.start:
        progress(f"going on with the download at {size(body.start)} of {size(body.total or 0)}")
    else:
        progress(
            f"downloading {size(body.total)}" if body.total else "downloading; Kaggle does not say how much"
        )
    counter = Progress(progress, "downloading", body.total, body.start)
    for chunk in _with_first(first, body.chunks):
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
        counter.add(len(chunk))


def _with_first(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _check_room(shelf: Shelf, coming: int, given_back: int) -> None:
    """Raises Invalid where so many bytes and the margin do not fit, those that overwriting gives back counted in."""
    room = shutil.disk_usage(shelf.folder).free + given_back
    if room < coming + MARGIN:
        raise Invalid(
            f"{shelf.folder} has {size(room)} of room and the download needs {size(coming)}, with "
            f"{size(MARGIN)} to spare; make room or set GALLERY_HOME to a larger disk"
        )


def _length(shelf: Shelf, version: int) -> int:
    try:
        return shelf.part(version).stat().st_size
    except FileNotFoundError:
        return 0
