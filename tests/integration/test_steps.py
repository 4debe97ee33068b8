"""Retries and time limits of steps."""

from __future__ import annotations

import threading
from typing import Any

import dagster as dg
import pytest

from gallery.errors import GalleryError, Invalid, Unavailable
from gallery.services import Services
from pipelines import steps
from pipelines.definitions import build_defs
from pipelines.errors import RefreshFailed
from pipelines.runner import StageEvent, run_refresh
from tests.fakes.gallery import Gallery


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry as often as in production, but at once."""
    monkeypatch.setattr(
        steps, "RETRY_POLICY", dg.RetryPolicy(max_retries=steps.RETRY_POLICY.max_retries, delay=0.01)
    )


def run(services: Services) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(services).resolve_job_def("refresh")
        return job.execute_in_process(instance=instance, raise_on_error=False)


def attempts(
    services: Services, monkeypatch: pytest.MonkeyPatch, error: Exception, failures: int
) -> tuple[int, dg.ExecuteInProcessResult]:
    """Run a refresh whose first calls of the dataset fail, and count these calls."""
    fetch, calls = services.dataset.fetch, 0

    def flaky(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= failures:
            raise error
        return fetch(*args)

    monkeypatch.setattr(services.dataset, "fetch", flaky)
    result = run(services)
    return calls, result


def test_a_transient_error_is_retried(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, result = attempts(gallery.services, monkeypatch, Unavailable("not now"), failures=2)
    assert result.success and calls > 2


def test_a_transient_error_that_lasts_fails_the_run_after_three_attempts(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, result = attempts(gallery.services, monkeypatch, Unavailable("not now"), failures=99)
    assert calls == 3 and not result.success


@pytest.mark.parametrize("error", [Invalid("never"), ZeroDivisionError("a bug")], ids=["invalid", "bug"])
def test_a_permanent_error_is_not_retried(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls, result = attempts(gallery.services, monkeypatch, error, failures=99)
    assert calls == 1 and not result.success


def test_progress_shows_a_retry_and_its_cause(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    services = gallery.services
    events: list[StageEvent] = []

    def fail(*_: Any) -> Any:
        raise Unavailable("the hub does not answer")

    monkeypatch.setattr(services.dataset, "fetch", fail)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(RefreshFailed, match=r"failed: the hub does not answer$"),
    ):
        run_refresh(services, events.append, instance)
    retries = [event.text for event in events if "trying again" in event.text]
    assert len(retries) == 2 and all(text.startswith("the hub does not answer; ") for text in retries)


def test_a_bug_is_reported_with_its_type(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    services = gallery.services
    monkeypatch.setattr(services.dataset, "fetch", lambda *_: {}["missing"])
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(RefreshFailed, match="failed: KeyError: 'missing'"),
    ):
        run_refresh(services, lambda _: None, instance)


def test_a_step_over_its_limit_is_stopped_and_retried(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services(gallery.settings(step_limit=2))
    monkeypatch.setattr(steps, "RETRY_POLICY", dg.RetryPolicy(max_retries=1))
    calls: list[int] = []

    def hang() -> str:
        calls.append(1)
        threading.Event().wait(600)
        return "never"

    monkeypatch.setattr(services.dataset, "version", hang)
    result = run(services)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert len(calls) == 2
    assert "stopped after 2 s (GALLERY_STEP_LIMIT)" in failure.step_failure_data.error.to_string()


def test_a_step_that_swallows_the_error_of_its_limit_is_stopped_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "REPEAT_LIMIT_S", 0.05)
    swallowed = []
    with pytest.raises(steps.StepTimeout), steps.time_limit(0.05):
        try:
            threading.Event().wait(600)
        except GalleryError as error:
            swallowed.append(error)
        threading.Event().wait(600)
    assert len(swallowed) == 1


def test_every_step_is_guarded(gallery: Gallery) -> None:
    ops = list(build_defs(gallery.services).resolve_job_def("refresh").graph.iterate_op_defs())
    assert len(ops) > 10
    for op in ops:
        body = op.compute_fn.decorated_fn  # type: ignore[union-attr]
        assert hasattr(body, "__wrapped__") and body.__code__.co_filename == steps.__file__, op.name
