"""The asset image_cleanup: which objects are deleted, and which are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from gallery.datasets.base import no_progress
from pipelines.defs.collection.cleanup import delete_unneeded_images
from pipelines.defs.collection.manifests import load_manifest
from pipelines.errors import RefreshFailed
from tests.fakes.archives import picture
from tests.fakes.gallery import Gallery

pytestmark = pytest.mark.slow


def objects(gallery: Gallery) -> set[str]:
    """Return the keys of the image store, without maps, which belong to another asset."""
    return {key for key in gallery.services.images.sizes() if not key.startswith("maps/")}


def change(gallery: Gallery, seed: int) -> None:
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(seed))


def test_objects_are_deleted_once_no_build_has_the_work(built_gallery: Gallery) -> None:
    before = objects(built_gallery)
    built_gallery.path("Anna_A/Anna_A_0.jpg").unlink()
    built_gallery.refresh()
    assert objects(built_gallery) == before  # the previous build has the work
    assert built_gallery.facts["image_cleanup"]["deleted"] == 0
    change(built_gallery, 79)
    built_gallery.refresh()
    assert built_gallery.facts["image_cleanup"]["deleted"] == 3
    deleted = before - objects(built_gallery)
    assert len(deleted) == 3 and len({key.rpartition("/")[2].partition(".")[0] for key in deleted}) == 1
    services = built_gallery.services
    for build in services.vectors.builds():
        manifest = load_manifest(services.tables, services.vectors, build.name)
        assert manifest is not None
        assert set(manifest["small"]) | set(manifest["original"]) <= objects(built_gallery)


def test_a_search_that_began_before_a_publication_can_end(built_gallery: Gallery) -> None:
    for seed in (79, 80, 81):
        services = built_gallery.services
        before = services.vectors.open(built_gallery.live)
        works = before.works(limit=20)
        change(built_gallery, seed)
        built_gallery.refresh()
        assert built_gallery.live != before.build.name
        query = before.vectors([works[0].id])[0]
        hits = before.search(query, 20, fingerprint=before.build.fingerprint)
        assert before.works(limit=20) == works and {hit.artwork for hit in hits} == set(works)
        assert {work.image.small for work in works} <= objects(built_gallery)


def test_only_objects_of_builds_are_deleted_and_only_once(built_gallery: Gallery) -> None:
    services = built_gallery.services
    services.images.put("originals/zz/not-ours.jpg", b"x")
    services.images.put("notes.txt", b"x")
    change(built_gallery, 79)
    built_gallery.refresh(keep_builds=1)
    assert built_gallery.facts["image_cleanup"]["deleted"] == 3
    left = objects(built_gallery)
    assert {"originals/zz/not-ours.jpg", "notes.txt"} <= left
    again = delete_unneeded_images(
        services.tables, services.images, services.vectors, workers=1, progress=no_progress
    )
    assert again.deleted == 0 and objects(built_gallery) == left


def test_objects_of_an_unusable_file_are_kept_until_it_is_deleted(built_gallery: Gallery) -> None:
    before = objects(built_gallery)
    file = built_gallery.path("Anna_A/Anna_A_0.jpg")
    data = file.read_bytes()
    file.write_bytes(b"half a file")
    built_gallery.refresh(keep_builds=1, max_quarantine=0.5)
    facts = built_gallery.facts["image_cleanup"]
    assert (facts["deleted"], facts["protected"]) == (0, 3) and objects(built_gallery) == before
    file.write_bytes(data)
    assert built_gallery.refresh(keep_builds=1)["images_uploaded"] == 0
    file.unlink()
    built_gallery.refresh(keep_builds=1)
    assert built_gallery.facts["image_cleanup"]["deleted"] == 3


def test_nothing_is_deleted_while_the_works_of_a_build_are_unknown(built_gallery: Gallery) -> None:
    services, first = built_gallery.services, built_gallery.live
    tables, collection = services.tables, services.vectors.open(first)
    (key,) = tables.sizes("builds/")
    manifest = tables.get(key)

    def clean() -> str:
        return delete_unneeded_images(
            tables, services.images, services.vectors, workers=1, progress=no_progress
        ).obstacle

    for damaged in (b"", manifest[:100]):
        tables.put(key, damaged)
        assert clean() == "" and tables.get(key) == manifest, "it is written again from the build"
    tables.delete(key)
    collection.delete(sorted(collection.ids())[:1])
    assert f"build {first} has no readable manifest" in clean()
    change(built_gallery, 79)
    with pytest.raises(RefreshFailed, match=r"cannot be checked for lost works and facts.*--allow-removals"):
        built_gallery.refresh()
    built_gallery.refresh(max_removed=1.0)
    assert f"build {first} has no readable manifest" in built_gallery.facts["image_cleanup"]["obstacle"]
    change(built_gallery, 80)
    built_gallery.refresh()
    assert built_gallery.facts["image_cleanup"]["obstacle"] == "none"


def test_builds_of_another_vector_store_keep_their_objects(built_gallery: Gallery, tmp_path: Path) -> None:
    before = objects(built_gallery)
    other = f"lance://{tmp_path / 'elsewhere'}"
    for seed in (80, 81):
        change(built_gallery, seed)
        built_gallery.refresh(vectors=other, keep_builds=1)
    assert before <= objects(built_gallery) and built_gallery.facts["image_cleanup"]["deleted"] == 3
