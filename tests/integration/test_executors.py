"""The same graph on every executor, chosen by a setting."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gallery.errors import Invalid
from gallery.services import Services
from gallery.settings import Settings
from pipelines import resources
from pipelines.definitions import build_defs
from pipelines.defs.catalog import scanned_files
from pipelines.defs.images import assets as pictures
from pipelines.errors import RefreshFailed
from pipelines.executors import build_executor, celery_config
from pipelines.runner import run_refresh
from tests.fakes.archives import artists_csv, picture, write_zip

ROOT = Path(__file__).parents[2]
WORKS = 12
FILES = {f"A/{n}.jpg": picture(n) for n in range(WORKS)}


@pytest.fixture
def small(tmp_path: Path, settings_with: Callable[..., Settings]) -> Callable[..., Settings]:
    """Settings for a small archive whose work is four shards."""
    path = write_zip(tmp_path / "a.zip", FILES, artists_csv(["A"]))
    return lambda **given: settings_with(**{"dataset": f"file://{path}", "shard_size": 3, **given})


@pytest.mark.parametrize("name", ["in_process", "multiprocess", "celery", "k8s"])
def test_the_definitions_load_with_every_executor(small: Callable[..., Settings], name: str) -> None:
    settings = small(executor=name, broker="redis://localhost:6379/0")
    definitions = build_defs(Services(settings))
    dg.Definitions.validate_loadable(definitions)
    assert definitions.resolve_job_def("refresh").executor_def.name == name


def test_an_executor_whose_package_is_missing_says_what_to_install(
    small: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("dagster_celery", "dagster_k8s"):
        monkeypatch.setitem(sys.modules, package, None)
    for name in ("celery", "k8s"):
        with pytest.raises(Invalid, match=rf"GALLERY_EXECUTOR={name} needs .*\[cluster\]"):
            build_executor(small(executor=name, broker="redis://localhost:6379/0"))


def test_celery_without_a_broker_says_so(small: Callable[..., Settings]) -> None:
    with pytest.raises(Invalid, match="celery needs GALLERY_BROKER"):
        build_executor(small(executor="celery"))


def test_a_memory_store_cannot_be_distributed(small: Callable[..., Settings]) -> None:
    with pytest.raises(Invalid, match=r"GALLERY_TABLES=memory:// belongs to one process"):
        build_executor(small(executor="multiprocess", tables="memory://"))
    build_executor(small(tables="memory://"))


def test_the_queue_waits_longer_than_any_step_may_take(small: Callable[..., Settings]) -> None:
    config = celery_config(small(broker="redis://:secret@here/0", step_limit=100))["config_source"]
    assert config["task_acks_late"] is True
    assert config["broker_transport_options"]["visibility_timeout"] > 100


@pytest.mark.parametrize(
    ("broker", "backend"), [("redis://here/1", "redis://here/1"), ("pyamqp://guest@here//", "rpc://")]
)
def test_the_result_backend_fits_the_broker(
    small: Callable[..., Settings], broker: str, backend: str
) -> None:
    assert celery_config(small(broker=broker))["backend"] == backend


def test_a_worker_opens_the_encoder_once(small: Callable[..., Settings]) -> None:
    settings = small()
    assert (
        resources.StepServices(lambda: settings).encoder is resources.StepServices(lambda: settings).encoder
    )
    assert (
        resources.StepServices(lambda: settings).encoder
        is not resources.StepServices(lambda: small(encoder="fake://?dim=16")).encoder
    )


def test_a_shard_that_stored_no_images_is_detected(
    small: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = pictures.store_images, 0

    def upload(*args: Any, **kwargs: Any) -> dict[str, str]:
        nonlocal seen
        seen += 1
        return {} if seen == 2 else real(*args, **kwargs)

    monkeypatch.setattr(scanned_files, "likely_sample", lambda *_, **__: set())  # the scan stores no image
    monkeypatch.setattr(pictures, "store_images", upload)
    services = Services(small())
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(
            RefreshFailed,
            match=f"images failed: 3 of {WORKS} works have no images in .*materialize `images`",
        ),
    ):
        run_refresh(services, lambda _: None, instance)
    assert seen == 4
    with dg.DagsterInstance.ephemeral() as instance:
        counts = run_refresh(services, lambda _: None, instance)
    assert (counts["images_uploaded"], counts["images_unchanged"], counts["indexed"]) == (3, WORKS - 3, WORKS)
