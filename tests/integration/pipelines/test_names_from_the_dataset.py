"""Names from the dataset reach no terminal, log or page of the Dagster UI with hidden characters in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import dagster as dg
import pytest

from gallery.services import Services
from gallery.text import is_hidden
from pipelines import alerts
from pipelines.definitions import build_defs
from pipelines.errors import failures
from pipelines.jobs import REFRESH
from tests.fakes.archives import artists_csv, picture
from tests.fakes.gallery import FILES, Gallery

HOSTILE = "x\r\nFORGED \x1b]0;title\x07\u202e\u2028\x85\u200f\ufeff"
NOT_UTF_8 = os.fsdecode(b"\xff")


def fill(gallery: Gallery) -> None:
    """Give the dataset, every kind of file and every field of artists.csv a hostile name."""
    gallery.root = gallery.root.rename(gallery.root.with_name(HOSTILE))
    files = {
        f"Anna_A/{HOSTILE}.jpg": picture(91),
        f"Anna_A/{HOSTILE}{NOT_UTF_8}.jpg": picture(92),
        f"Bea_B/{HOSTILE}.jpg": FILES["Bea_B/Bea_B_0.jpg"],
        f"Bea_B/{HOSTILE}.png": b"not an image",
        f"Eve{HOSTILE}/1.jpg": picture(93),
        f"Nobody{HOSTILE}/1.jpg": picture(94),
    }
    for name, data in files.items():
        gallery.path(name).parent.mkdir(exist_ok=True)
        gallery.path(name).write_bytes(data)
    quoted = f'"{HOSTILE}"'
    rows = artists_csv(["Anna A", "Bea B", f"Eve{HOSTILE}", f"Eve{HOSTILE}"]).decode()
    rows = (
        rows.replace("Dutch", quoted)
        .replace("1840 - 1926", quoted, 1)
        .replace("https://en.wikipedia.org/wiki/Painting", quoted, 1)
    )
    (gallery.root / "artists.csv").write_text(f"{rows}{quoted},{quoted}\n", "utf-8", newline="")


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


@pytest.mark.parametrize("end", ["published", "a check failed", "a library raised"])
def test_a_run_writes_names_without_hidden_characters(
    gallery: Gallery, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    fill(gallery)
    dataset, limit = f"file://{quote(str(gallery.root))}", 0.01 if end == "a check failed" else 1.0
    services = Services(gallery.settings(dataset=dataset, max_quarantine=limit))
    if end == "a library raised":

        def fail(*_: object) -> None:
            try:
                raise KeyError(HOSTILE)
            except KeyError as error:
                raise ValueError(HOSTILE) from error

        monkeypatch.setattr(services.dataset, "fetch", fail)
    job = build_defs(services).resolve_job_def(REFRESH)
    result = job.execute_in_process(instance=gallery.instance, raise_on_error=False)
    assert result.success == (end == "published")
    entries = gallery.instance.all_logs(result.run_id)
    reasons = failures(entry.dagster_event for entry in entries if entry.dagster_event)
    report = alerts.failure_report(services.settings, reasons, job=REFRESH)
    recorded = [*map(dg.serialize_value, entries), json.dumps(report), dg.serialize_value(result.dagster_run)]
    console = "".join(capfd.readouterr())
    assert "FORGED" in console and "FORGED" in "".join(recorded)
    assert "\x1b]" not in console  # Dagster itself colours its lines
    for text in (console.replace("\x1b", ""), *(text for one in recorded for text in texts(json.loads(one)))):
        assert not {character for character in text if is_hidden(character)} - {"\n"}
        assert not any(line.startswith("FORGED") for line in text.split("\n"))
