"""What the launchpad and the options of `gallery refresh` change for one run."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from gallery.cli import main
from pipelines.definitions import build_defs
from tests.fakes.gallery import FILES, Gallery

pytestmark = pytest.mark.slow


@pytest.fixture
def launch(built_gallery: Gallery, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Return a function that runs the job with settings of the environment and a configuration."""
    settings = built_gallery.settings()
    for name, value in {"HOME": settings.home, "DATASET": settings.dataset, "ENCODER": "fake"}.items():
        monkeypatch.setenv(f"GALLERY_{name}", str(value))

    def start(services: dict[str, Any], **ops: Any) -> dg.ExecuteInProcessResult:
        config = {
            "resources": {"services": {"config": services}},
            "ops": {name: {"config": value} for name, value in ops.items()},
        }
        job = build_defs().resolve_job_def("refresh")
        return job.execute_in_process(config, built_gallery.instance, raise_on_error=False)

    return start


def test_the_launchpad_sets_limits_and_the_sample_size_of_one_run(built_gallery: Gallery, launch) -> None:  # type: ignore[no-untyped-def]
    for name in FILES:
        if name.startswith("Bea"):
            built_gallery.path(name).unlink()
    assert not launch({}).success
    assert launch({"max_removed": 1.0, "per_artist": 3}).success
    assert len(built_gallery.live_files()) == 3


def test_an_invalid_value_of_the_launchpad_is_named(launch) -> None:  # type: ignore[no-untyped-def]
    result = launch({"per_artist": 0})
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert "GALLERY_PER_ARTIST" in failed.step_failure_data.error.to_string()


def test_a_dry_run_publishes_and_deletes_nothing(built_gallery: Gallery, launch) -> None:  # type: ignore[no-untyped-def]
    live, images = built_gallery.live, built_gallery.services.images
    built_gallery.path("Anna_A/Anna_A_0.jpg").unlink()
    before = set(images.sizes("originals/"))
    assert launch({"per_artist": 3}, published_collection={"dry_run": True}).success
    done = CliRunner().invoke(main, ["refresh", "--dry-run", "--json", "--per-artist", "2"])
    assert done.exit_code == 0 and '"published": false' in done.stdout and '"indexed": 4' in done.stdout
    assert built_gallery.live == live and set(images.sizes("originals/")) >= before
    # What was evaluated can be published afterwards.
    assert built_gallery.materialize("published_collection").success
    assert len(built_gallery.live_files()) == 4
