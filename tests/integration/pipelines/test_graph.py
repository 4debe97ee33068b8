"""The asset graph matches a file, so that every change of it shows in review.

After an intended change, run `GALLERY_TEST_WRITE_GRAPH=1 pytest tests/integration/pipelines/test_graph.py`
and read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.definitions import build_defs

pytestmark = pytest.mark.docs

SNAPSHOT = Path(__file__).with_name("graph.json")


def graph_facts() -> dict[str, Any]:
    """Return assets with dependencies and checks, jobs, schedules and sensors, in a fixed order."""
    definitions = build_defs()
    graph = definitions.resolve_asset_graph()
    repository = definitions.get_repository_def()
    assets = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "after": sorted(parent.to_user_string() for parent in node.parent_keys),
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "owners": sorted(node.owners),
            "code": node.code_version,
            "checks": {
                check.name: "blocking" if graph.get(check).blocking else "not blocking"
                for check in sorted(graph.asset_check_keys, key=lambda check: check.name)
                if check.asset_key == key
            },
        }
    return {
        "assets": assets,
        "jobs": {
            job.name: sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys)
            for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: f"{schedule.cron_schedule} {schedule.job_name} {schedule.default_status.value}"
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
        "sensors": {
            sensor.name: sensor.default_status.value
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
    }


def test_the_graph_matches_its_snapshot() -> None:
    found = json.dumps(graph_facts(), indent=1) + "\n"
    if os.environ.get("GALLERY_TEST_WRITE_GRAPH"):
        SNAPSHOT.write_text(found, "utf-8")
    assert json.loads(found) == json.loads(SNAPSHOT.read_text("utf-8"))
