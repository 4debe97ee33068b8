"""The asset similarity_map in a refresh."""

from __future__ import annotations

from typing import Any

import pytest

from gallery.errors import NotFound
from gallery.map_layout import FOLDER
from pipelines.definitions import build_defs
from pipelines.defs.similarity_map import assets
from pipelines.errors import RefreshFailed
from pipelines.reporting import asset_key
from tests.fakes.archives import picture
from tests.fakes.gallery import Gallery

pytestmark = pytest.mark.slow


def test_the_map_of_a_build_is_drawn_once_and_deleted_with_it(built_gallery: Gallery) -> None:
    first = built_gallery.facts["similarity_map"]
    assert (first["dagster/row_count"], first["reused"]) == (8, False) and first["tiles_drawn"] > 1
    assert "data:image/jpeg" in first["overview"]
    built_gallery.refresh(keep_builds=1)
    second = built_gallery.facts["similarity_map"]
    assert (second["reused"], second["tiles_drawn"]) == (True, 0)
    built_gallery.path("Anna_A/Anna_A_9.jpg").write_bytes(picture(77))
    built_gallery.refresh(keep_builds=1)
    third = built_gallery.facts["similarity_map"]
    # The old build may still exist when the map is drawn, since publishing does not wait for the map.
    built_gallery.refresh(keep_builds=1)
    assert {key.split("/")[1] for key in built_gallery.services.images.sizes(FOLDER)} == {third["build"]}
    assert third["build"] != first["build"]


def test_a_failed_map_does_not_prevent_publishing(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise NotFound("no layout today")

    monkeypatch.setattr(assets, "positions", fail)
    with pytest.raises(RefreshFailed, match="similarity_map failed: no layout today"):
        gallery.refresh()
    assert gallery.services.vectors.live() is not None
    assert not gallery.services.images.sizes(FOLDER)


def test_the_map_of_a_large_build_has_a_sample(
    built_gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "MAX_ITEMS", 5)
    monkeypatch.setattr(assets, "PAGE_WORKS", 3)
    services = built_gallery.services
    live = services.vectors.live()
    assert live is not None
    assert len(assets.mapped_works(services.vectors.open(live.name))) == 5


def test_publishing_does_not_depend_on_the_map() -> None:
    graph: Any = build_defs().resolve_asset_graph()
    assert asset_key("published_collection") not in graph.get(asset_key("similarity_map")).child_keys
