"""Damaged objects, files and builds: the next refresh finds and repairs them."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace

import pytest

from gallery.errors import Invalid
from gallery.services import Services
from gallery.vectors.base import replacement_name
from pipelines.defs.collection.publication import publish
from pipelines.lineage import lineage
from pipelines.runner import StageEvent
from pipelines.tables import IMAGES
from tests.fakes.archives import picture
from tests.fakes.gallery import BOATS, Gallery
from tests.fakes.weaviate import FakeWeaviate

pytestmark = pytest.mark.slow


def test_reread_finds_what_a_decaying_disk_has_changed(built_gallery: Gallery) -> None:
    images = built_gallery.services.images
    key = IMAGES.read(built_gallery.services.tables).iloc[0]["small"]
    whole, path = images.get(key), built_gallery.settings().home / "images" / key
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 4]) + whole[101:])
    os.utime(path, ns=times)
    built_gallery.refresh()
    assert images.get(key) != whole
    built_gallery.refresh(reread=True)
    assert images.get(key) == whole


def test_an_incomplete_build_is_written_again(built_gallery: Gallery) -> None:
    first = built_gallery.live
    store = built_gallery.services.vectors
    built_gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(71))
    second = built_gallery.refresh()["build"]
    store.publish(first)
    collection = store.open(second)
    collection.delete(sorted(collection.ids())[:3])
    manifest = built_gallery.settings().home / "vectors" / f"{second}.json"
    manifest.write_text(manifest.read_text().replace('"ready": true', '"ready": false'))
    assert built_gallery.refresh()["build"] == second
    assert built_gallery.services.vectors.open(second).count() == 8


def test_a_live_build_that_lost_works_is_replaced(built_gallery: Gallery) -> None:
    first = built_gallery.live
    collection = built_gallery.services.vectors.open(first)
    collection.delete(sorted(collection.ids())[:3])
    with pytest.raises(Invalid, match="5 of 8"):
        publish(built_gallery.services.vectors, first, lambda: None)
    assert built_gallery.refresh()["build"] == f"{first}_1" == built_gallery.live
    store = built_gallery.services.vectors
    assert store.open(first).count() == 5 and store.open(f"{first}_1").count() == 8
    assert built_gallery.refresh()["build"] == f"{first}_1"


def test_swapped_vectors_of_the_live_build_are_found_by_the_next_refresh(built_gallery: Gallery) -> None:
    store, first = built_gallery.services.vectors, built_gallery.live
    collection = store.open(first)
    one, other, *_ = collection.works()
    right = collection.vectors([one.id, other.id])
    collection.upsert([other, one], right)
    counts = built_gallery.refresh()
    assert counts["build"] == replacement_name(first, 1) == built_gallery.live and counts["embedded"] == 0
    assert (store.open(built_gallery.live).vectors([one.id, other.id]) == right).all()


def test_a_live_build_in_weaviate_that_lost_works_is_replaced(gallery: Gallery) -> None:
    with FakeWeaviate() as server:
        first = gallery.refresh(vectors=server.address)["build"]
        store = Services(gallery.settings(vectors=server.address)).vectors
        damaged = store.open(first)
        damaged.delete(sorted(damaged.ids())[:3])
        assert damaged.count() == 5

        counts = gallery.refresh(vectors=server.address)
        assert counts["build"] == replacement_name(first, 1)
        assert (counts["indexed"], counts["embedded"]) == (8, 0)
        live = store.live()
        assert live is not None and live.name == counts["build"] and store.open(live.name).count() == 8
        assert store.open(first).count() == 5  # kept as it was, to look into
        assert gallery.refresh(vectors=server.address)["build"] == counts["build"]


def test_a_file_that_was_incomplete_during_a_run_is_read_again_by_the_next(built_gallery: Gallery) -> None:
    file = built_gallery.path("Anna_A/Anna_A_1.jpg")
    data = file.read_bytes()

    def write_half(event: StageEvent) -> None:
        if (event.stage, event.kind) == ("scanned_files", "start"):
            file.write_bytes(data[:400])
        if (event.stage, event.kind) == ("images", "start"):
            file.write_bytes(data)

    counts = built_gallery.refresh(write_half, max_quarantine=0.5)
    assert counts["quarantined"] == 1
    (facts,) = lineage(built_gallery.services, "Anna_A_1.jpg")
    assert "the image is damaged" in facts["status"]
    counts = built_gallery.refresh()
    assert (counts["quarantined"], counts["indexed"]) == (0, 8)


def test_nothing_is_stored_under_the_digest_of_other_content(built_gallery: Gallery) -> None:
    file = built_gallery.path("Anna_A/Anna_A_1.jpg")
    images = built_gallery.services.images
    built_gallery.refresh()  # so that the scan does not read the file again
    for key in images.sizes():
        if hashlib.sha256(file.read_bytes()).hexdigest() in key:
            images.delete(key)

    def change(event: StageEvent) -> None:
        if (event.stage, event.kind) == ("images", "start"):
            file.write_bytes(picture(999))

    counts = built_gallery.refresh(change, max_quarantine=0.5)
    assert counts["indexed"] == 7
    for key in images.sizes("originals/"):
        assert hashlib.sha256(images.get(key)).hexdigest() in key


@pytest.mark.parametrize(
    "lost", ["*.lance", "*.lance/data", "*.lance/_indices", "b*.json", "LIVE", "cut b*.json"]
)
def test_a_damaged_vector_folder_is_repaired_by_the_next_refresh(built_gallery: Gallery, lost: str) -> None:
    before = built_gallery.live
    for path in (built_gallery.settings().home / "vectors").glob(lost.removeprefix("cut ")):
        if lost.startswith("cut"):
            path.write_bytes(path.read_bytes()[:100])
        else:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    counts = built_gallery.refresh()
    assert (built_gallery.live == before) == (lost in ("b*.json", "LIVE"))
    assert counts["indexed"] == 8 and counts["embedded"] == 0
    assert len(built_gallery.search(replace(BOATS, limit=20))) == 8


@pytest.mark.parametrize(("which", "damage"), [("live", b'{"x": 1}'), ("previous", b"\xff\xfe")])
def test_an_unreadable_manifest_stops_no_refresh(built_gallery: Gallery, which: str, damage: bytes) -> None:
    first = built_gallery.live
    built_gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(500))
    second = built_gallery.refresh()["build"]
    name = second if which == "live" else first
    (built_gallery.settings().home / "vectors" / f"{name}.json").write_bytes(damage)
    built_gallery.path("Anna_A/Anna_A_1.jpg").write_bytes(picture(501))
    third = built_gallery.refresh()["build"]
    assert built_gallery.live == third and third not in (first, second)
    assert (built_gallery.settings().home / "vectors" / f"{name}.damaged").read_bytes() == damage
    assert len(built_gallery.search(replace(BOATS, limit=20))) == 8
