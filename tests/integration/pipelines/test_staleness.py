"""What Dagster marks as stale: the assets that a change affects, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from gallery.services import Services
from pipelines.definitions import build_defs
from pipelines.reporting import asset_key
from pipelines.runner import run_refresh
from tests.fakes.archives import artists_csv
from tests.fakes.gallery import Gallery

pytestmark = pytest.mark.slow


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def stale(gallery: Gallery, instance: dg.DagsterInstance, **given: Any) -> set[str]:
    """Return the assets that the UI marks as stale with these settings."""
    graph = build_defs(Services(gallery.settings(**given))).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        key.path[-1] for key in graph.get_all_asset_keys() if resolver.get_status(key) != StaleStatus.FRESH
    }


def test_assets_become_stale_with_what_they_depend_on(gallery: Gallery, instance: dg.DagsterInstance) -> None:
    run_refresh(gallery.services, lambda _: None, instance)
    for given, expected in [
        ({}, set()),
        ({"per_artist": 3}, {"sample"}),
        ({"sample_key": "other"}, {"sample"}),
        ({"thumb_small": 64}, {"images"}),
        ({"encoder": "fake://?dim=16"}, {"embeddings"}),
        ({"tolerance": 0.5}, {"evaluation"}),
        ({"vectors": "memory://another"}, {"candidate"}),
        ({"port": 9000, "workers": 1, "batch_size": 7}, set()),
    ]:
        assert stale(gallery, instance, **given) == expected, given

    # A run with the same result makes nothing stale.
    job = build_defs(gallery.services).resolve_implicit_global_asset_job_def()
    for names in (["raw_dataset", "artists"], ["artworks"], ["sample"]):
        selected = [asset_key(name) for name in names]
        assert job.execute_in_process(asset_selection=selected, instance=instance).success
    assert stale(gallery, instance) == set()

    # A corrected artist affects what reads the dataset's list of artists.
    (gallery.root / "artists.csv").write_bytes(artists_csv(["Anna A", "Bea Bée", "Nobody Yet"]))
    assert job.execute_in_process(asset_selection=[asset_key("raw_dataset")], instance=instance).success
    assert stale(gallery, instance) == {"artists"}
