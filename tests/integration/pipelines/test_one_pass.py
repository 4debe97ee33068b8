"""A refresh reads and decodes each new file once; after that, only what it repairs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gallery.datasets.archive import ZipArchive
from gallery.datasets.base import ARTISTS_CSV
from gallery.images import derivatives
from gallery.objects.local import LocalObjects
from gallery.services import Services
from gallery.settings import Settings
from pipelines.runner import run_refresh
from pipelines.tables import IMAGES
from tests.fakes.archives import artists_csv, picture, write_zip

ARTISTS, WORKS = 6, 10


class Counts:
    """Reads of the archive and the image store, and decodes of original files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, originals: set[str]) -> None:
        self.reads = Counter[str]()
        self.store_reads = Counter[str]()
        self.decodes = Counter[str]()
        read, get, decode_untrusted = ZipArchive.read, LocalObjects.get, derivatives.decode_untrusted

        def counted_read(archive: ZipArchive, path: str, limit: int) -> bytes:
            if path != ARTISTS_CSV:
                self.reads[path] += 1
            return read(archive, path, limit)

        def counted_get(store: LocalObjects, key: str) -> bytes:
            if key.startswith(("originals/", "thumbs/")):
                self.store_reads[key] += 1
            return get(store, key)

        def counted_decode(data: bytes, **limits: Any) -> Any:
            digest = hashlib.sha256(data).hexdigest()
            if digest in originals:
                self.decodes[digest] += 1
            return decode_untrusted(data, **limits)

        monkeypatch.setattr(ZipArchive, "read", counted_read)
        monkeypatch.setattr(LocalObjects, "get", counted_get)
        monkeypatch.setattr(derivatives, "decode_untrusted", counted_decode)


@pytest.mark.slow
def test_each_new_file_is_read_and_decoded_once_and_then_only_for_repairs(
    settings_with: Callable[..., Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"Artist {letter}" for letter in "ABCDEF"[:ARTISTS]]
    files = {
        f"{name.replace(' ', '_')}/{name.replace(' ', '_')}_{number}.jpg": picture(WORKS * place + number)
        for place, name in enumerate(names)
        for number in range(WORKS)
    }
    archive = write_zip(tmp_path / "archive.zip", files, artists_csv(names))
    counts = Counts(monkeypatch, {hashlib.sha256(data).hexdigest() for data in files.values()})

    log: list[str] = []

    def refresh() -> dict[str, Any]:
        services = Services(settings_with(dataset=f"file://{archive}", per_artist=8))
        with dg.DagsterInstance.ephemeral() as instance:
            return run_refresh(services, lambda event: log.append(event.text), instance)

    first = refresh()
    assert (first["works"], first["sampled"], first["images_uploaded"]) == (60, 48, 48)
    assert len(counts.reads) == 60 and set(counts.reads.values()) == {1}
    assert len(counts.decodes) == 60 and set(counts.decodes.values()) == {1}
    assert not [key for key in counts.store_reads if key.startswith("originals/")]

    counts.reads.clear(), counts.decodes.clear(), counts.store_reads.clear()
    second = refresh()
    assert (second["sampled"], second["images_uploaded"], second["embedded"]) == (48, 0, 0)
    assert second["build"] == first["build"]
    assert not counts.reads and not counts.decodes and not counts.store_reads

    services = Services(settings_with())
    images, works = services.images, IMAGES.read(services.tables).to_dict("records")
    before = {key: images.get(key) for key in images.sizes()}
    tile = next(key for key in before if key.endswith("0.webp") and key.startswith("maps/"))
    damage = {
        works[0]["original"]: b"",
        works[0]["small"]: before[works[0]["small"]][:50],
        works[1]["large"]: bytes(len(before[works[1]["large"]])),
        works[2]["small"]: before[works[3]["small"]],
        tile: before[tile][:-10],
    }
    for key, data in damage.items():
        images.put(key, data)
    counts.store_reads.clear()
    third = refresh()
    read = dict(counts.store_reads)
    assert (third["images_uploaded"], third["embedded"], third["build"]) == (3, 0, first["build"])
    assert {key: images.get(key) for key in images.sizes()} == before
    assert len(counts.reads) == 3 and read == dict.fromkeys(damage.keys() - {tile}, 1)
    assert all(any(key in line for line in log) for key in damage.keys() - {tile})
