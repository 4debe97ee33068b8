"""The code location as Dagster sees it: complete, described, cheap to load, and what dagster.yaml says is understood."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from gallery.services import Services
from gallery.settings import read_settings
from pipelines import lock
from pipelines.definitions import build_defs
from pipelines.reporting import KEY_PREFIX
from pipelines.runner import STAGES
from tests.fakes.archives import artists_csv, picture, write_zip

ROOT = Path(__file__).parents[2]


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_the_graph_is_the_one_in_the_docs() -> None:
    graph = build_defs().resolve_asset_graph()
    edges = {
        key.path[-1]: sorted(parent.path[-1] for parent in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    assert edges == {
        "raw_dataset": [],
        "artists": ["raw_dataset"],
        "scanned_files": ["artists"],
        "artworks": ["artists", "scanned_files"],
        "quarantine": ["artworks"],
        "sample": ["artworks", "quarantine"],
        "images": ["sample"],
        "embeddings": ["images"],
        "candidate": ["artists", "embeddings", "images", "sample"],
        "evaluation": ["candidate"],
        "published_collection": ["candidate", "evaluation"],
        "image_cleanup": ["published_collection"],
        "similarity_map": ["candidate"],
    }
    assert set(STAGES) == set(edges)
    assert {key.path[0] for key in graph.get_all_asset_keys()} == {KEY_PREFIX}


def test_every_asset_says_what_it_is_whose_and_where() -> None:
    for asset in build_defs().assets or []:
        for spec in asset.specs:
            assert spec.description and spec.group_name != "default" and spec.owners and spec.kinds, spec.key


def test_the_checks_on_the_way_to_publishing_block() -> None:
    graph = build_defs().resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get(key).blocking}
    assert blocking == {
        "every_file_accounted_for",
        "removals_within_limit",
        "quarantine_within_limit",
        "sample_within_limits",
        "every_image_is_stored",
        "candidate_is_complete",
        "rows_are_valid",
        "encoder_matches",
        "above_minimum",
        "not_below_live",
    }


def test_a_failed_check_stops_publishing(tmp_path: Path, settings_with) -> None:  # type: ignore[no-untyped-def]
    path = write_zip(tmp_path / "a.zip", {f"A/{n}.jpg": picture(n) for n in range(3)}, artists_csv(["A"]))
    services = Services(settings_with(dataset=f"file://{path}"))
    original = services.images.sizes
    services.images.sizes = lambda prefix="": {} if prefix == "thumbs/" else original(prefix)  # type: ignore[method-assign]
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(services).resolve_job_def("refresh")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success and services.vectors.live() is None


def test_a_wrong_setting_leaves_the_ui_up_and_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_PORT", "nonsense")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs().resolve_job_def("refresh")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success


def test_loading_the_code_location_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipelines.definitions\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'lancedb', 'flask', 'google.cloud', 'weaviate'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_instance_and_workspace_files_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:  # raises for a key it does not know
        assert not instance.telemetry_enabled
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    module = location["python_module"]
    assert module["module_name"] == project["code_location_target_module"]
    assert module["location_name"] == project["code_location_name"]


def test_a_run_from_the_ui_reads_the_settings_and_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "a.zip", {f"A/{n}.jpg": picture(n) for n in range(3)}, artists_csv(["A"]))
    for name, value in {"HOME": tmp_path / "home", "DATASET": f"file://{path}", "ENCODER": "fake"}.items():
        monkeypatch.setenv(f"GALLERY_{name}", str(value))
    job = build_defs().resolve_job_def("refresh")
    tables = Services(read_settings()).tables
    with dg.DagsterInstance.ephemeral() as instance, lock.acquire(tables, "another"):
        assert not job.execute_in_process(instance=instance, raise_on_error=False).success
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
    _, holder = lock.current(tables)
    assert holder is not None and holder.released  # given back when the run ended
