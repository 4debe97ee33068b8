"""Reports of failed runs to GALLERY_WEBHOOK.

The sensor `failure_alert` reports the runs that the daemon knows. A command reports its own run, since there
may be no daemon, and marks the run with ALERT_TAG, so that the sensor does not report it again.
"""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, replace
from http.client import HTTPException
from typing import Any

from gallery.settings import Settings
from gallery.text import printable
from pipelines.errors import Failure

log = logging.getLogger(__name__)

ALERT_TAG = "gallery/alert"
"""Tag that says who reports the failure of a run; without it the sensor does."""
BY_COMMAND, BY_SENSOR = "command", "sensor"
WEBHOOK_TIMEOUT_S = 10.0
UNCHANGED = (
    "The live collection has not changed. Fix the cause and start `refresh` again, or run `gallery refresh`: "
    "it continues from what is stored."
)
PUBLISHED = "The new build is live. Fix the cause; the next refresh completes the rest."
OTHER_JOB = "Fix the cause and start the job again."


def failure_report(
    settings: Settings,
    failures: Sequence[Failure],
    *,
    job: str,
    run_id: str = "",
    refreshes: bool = True,
    published: bool = False,
) -> dict[str, Any]:
    """Return the report of a failed run: `text` for people, with the reason first; other fields for programs.

    `run_id` is "" if the command failed before there was a run. `refreshes` says whether the job materializes
    assets, `published` whether it had published before it failed.
    """
    failures = [replace(failure, error=printable(" ".join(failure.error.split()))) for failure in failures]
    reasons = "; ".join(map(str, failures)) or "The process of the run ended without an error message"
    advice = (PUBLISHED if published else UNCHANGED) if refreshes else OTHER_JOB
    url = f"{settings.dagster_url.rstrip('/')}/runs/{run_id}" if settings.dagster_url and run_id else ""
    what = "assets" if job.startswith("__") else job  # Dagster's job for assets that are materialized alone
    name = f"Run {run_id[:8]} of {what}" if run_id else what
    return {
        "text": " ".join(filter(None, (f"{reasons.rstrip('.')}. {name} failed. {advice}", url))),
        "url": url,
        "run_id": run_id,
        "job": job,
        "failures": [asdict(failure) for failure in failures],
    }


def post(settings: Settings, report: dict[str, Any]) -> None:
    """Send the report to GALLERY_WEBHOOK if it is set. Log failures without the address, which is secret."""
    if settings.webhook is None:
        return
    try:
        request = urllib.request.Request(
            settings.webhook.get_secret_value(),
            data=json.dumps(report).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "artwork-gallery"},
        )
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        log.warning("GALLERY_WEBHOOK answered a failure report with status %d", error.code)
    except (OSError, ValueError, HTTPException) as error:
        # Only the type: messages of some of these quote the address.
        log.warning("could not send a failure report to GALLERY_WEBHOOK (%s)", type(error).__name__)
