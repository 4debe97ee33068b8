"""Alerts: every failed run is reported once, with the reason first, whoever started it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from gallery.cli import main
from gallery.settings import Settings
from pipelines import alerts, runner
from pipelines.definitions import build_defs
from pipelines.jobs import REFRESH
from pipelines.sensors import failure_alert
from tests.fakes.gallery import Gallery
from tests.fakes.locks import leave_record

UI = "https://dagster.example.org"


class Webhook:
    """A local web server that keeps what is posted to it."""

    def __init__(self, status: int) -> None:
        self.reports: list[dict[str, Any]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                webhook.reports.append(json.loads(self.rfile.read(length)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hidden-token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Callable[[int], Webhook]]:
    """Return a function that starts a webhook which answers with a status."""
    started: list[Webhook] = []

    def start(status: int) -> Webhook:
        started.append(Webhook(status))
        return started[-1]

    yield start
    for one in started:
        one.close()


def no_archive(gallery: Gallery, setenv: Callable[[str, str], None]) -> str:
    setenv("GALLERY_DATASET", "file:///nowhere.zip")
    return "raw_dataset failed: no archive at /nowhere.zip"


def too_many_unusable(gallery: Gallery, setenv: Callable[[str, str], None]) -> str:
    gallery.path("Anna_A/new.jpg").write_bytes(b"not an image")
    return "quarantine failed: 1 of 9 files are unusable (11.1%)"


def invalid_setting(gallery: Gallery, setenv: Callable[[str, str], None]) -> str:
    setenv("GALLERY_PER_ARTIST", "abc")
    return "GALLERY_PER_ARTIST: must be a whole number"


CAUSES = [no_archive, too_many_unusable, invalid_setting]


def refresh_by_command() -> dict[str, Any]:
    """Run `gallery refresh`; return the error it printed, and no tags: nothing else reports its run."""
    done = CliRunner().invoke(main, ["refresh", "--no-wait"])
    assert done.exit_code == 1
    return {"printed": done.stderr}


def refresh_by_daemon() -> dict[str, Any]:
    """Run the job as the daemon does, with the settings of the environment, and call its sensor."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            build_defs().resolve_job_def(REFRESH).execute_in_process(instance=instance, raise_on_error=False)
        )
        assert not result.success
        tell_sensor(instance, result.dagster_run)
        return {"tags": result.dagster_run.tags}


def tell_sensor(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Call the sensor as the daemon does after a failure."""
    entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        sensor_name="failure_alert",
        dagster_event=entries[-1].dagster_event,  # type: ignore[arg-type]
        dagster_instance=instance,
        dagster_run=run,
    )
    failure_alert(context.for_run_failure())


@pytest.mark.parametrize("refresh", [refresh_by_command, refresh_by_daemon])
@pytest.mark.parametrize("cause", CAUSES)
def test_a_failed_refresh_is_reported_with_the_reason_first_and_not_retried(
    gallery: Gallery,
    webhook: Callable[[int], Webhook],
    monkeypatch: pytest.MonkeyPatch,
    cause: Callable[..., str],
    refresh: Callable[[], dict[str, Any]],
) -> None:
    receiver, settings = webhook(204), gallery.settings()
    for name, value in {
        "HOME": settings.home, "DATASET": settings.dataset, "ENCODER": "fake", "WEBHOOK": receiver.address,
        "DAGSTER_URL": UI,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GALLERY_{name}", str(value))
    reason = cause(gallery, monkeypatch.setenv)
    seen = refresh()
    (report,) = receiver.reports
    text = report["text"]
    assert reason in text.removeprefix("raw_dataset failed: ")[: len(reason) + 80] or text.startswith(reason)
    assert "live collection has not changed" in text and "Traceback" not in text
    if report["run_id"]:
        assert text.endswith(report["url"]) and report["url"] == f"{UI}/runs/{report['run_id']}"
    assert report["job"] == REFRESH and report["failures"]
    assert reason in seen.get("printed", reason)
    # Dagster restarts a run only if it failed outside a step.
    assert (
        seen.get("tags", {"dagster/failure_reason": "STEP_FAILURE"})["dagster/failure_reason"]
        == "STEP_FAILURE"
    )


def test_a_refused_refresh_is_reported(
    gallery: Gallery, webhook: Callable[[int], Webhook], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_record(gallery.services.tables, "another")
    receiver, settings = webhook(204), gallery.settings()
    monkeypatch.setenv("GALLERY_HOME", str(settings.home))
    monkeypatch.setenv("GALLERY_WEBHOOK", receiver.address)
    refresh_by_command()
    (report,) = receiver.reports
    assert report["text"].startswith("another refresh is running (run another") and report["run_id"] == ""


def test_an_unexpected_error_of_a_command_is_reported(
    gallery: Gallery, webhook: Callable[[int], Webhook], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Settings) -> None:
        raise RuntimeError("the database is locked")

    receiver = webhook(204)
    monkeypatch.setenv("GALLERY_HOME", str(gallery.settings().home))
    monkeypatch.setenv("GALLERY_WEBHOOK", receiver.address)
    monkeypatch.setattr(runner, "open_instance", fail)
    assert isinstance(CliRunner().invoke(main, ["refresh"]).exception, RuntimeError)
    (report,) = receiver.reports
    assert report["text"].startswith("unexpected RuntimeError; see the log. refresh failed.")


def test_the_sensor_reports_a_run_of_a_command_only_if_the_command_died(
    gallery: Gallery, webhook: Callable[[int], Webhook], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = webhook(204)
    monkeypatch.setenv("GALLERY_WEBHOOK", receiver.address)
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(gallery.services).resolve_job_def(REFRESH)
        run = instance.create_run_for_job(job, tags={alerts.ALERT_TAG: alerts.BY_COMMAND})
        instance.report_run_failed(run, "it died")
        tell_sensor(instance, run)
        assert receiver.reports == []
        tell_sensor(instance, run.with_tags({alerts.ALERT_TAG: alerts.BY_SENSOR}))
    assert [report["text"].partition(".")[0] for report in receiver.reports] == ["it died"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_answers_with_an_error_stops_nothing_and_its_address_is_not_logged(
    settings_with: Callable[..., Settings],
    webhook: Callable[[int], Webhook],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    receiver = webhook(status)
    alerts.post(settings_with(webhook=receiver.address), {"text": "x"})
    assert len(receiver.reports) == 1 and f"status {status}" in caplog.text
    assert "hidden-token" not in caplog.text


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/hidden-token", "no address/hidden-token", "http://127.0.0.1:1/a space/hidden-token"],
)
def test_a_webhook_that_cannot_be_reached_stops_nothing_and_its_address_is_not_logged(
    settings_with: Callable[..., Settings], caplog: pytest.LogCaptureFixture, address: str
) -> None:
    caplog.set_level(logging.INFO)
    alerts.post(settings_with(webhook=address), {"text": "x"})
    assert "could not send a failure report" in caplog.text and "hidden-token" not in caplog.text
