"""The code location as Dagster loads it, and the instance and workspace files."""

from __future__ import annotations

import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from gallery.services import Services
from gallery.settings import Settings, read_settings, variable
from pipelines import lock
from pipelines.definitions import build_defs
from pipelines.reporting import KEY_PREFIX
from pipelines.runner import STAGES
from tests.fakes.archives import artists_csv, picture, write_zip
from tests.fakes.processes import modules_loaded_by

ROOT = Path(__file__).parents[2]


def test_every_stage_is_an_asset_with_the_key_prefix() -> None:
    graph = build_defs().resolve_asset_graph()
    assert {key.path[-1] for key in graph.materializable_asset_keys} == set(STAGES)
    assert {key.path[0] for key in graph.get_all_asset_keys()} == {KEY_PREFIX}


def test_every_asset_has_a_description_group_owner_and_kind() -> None:
    graph = build_defs().resolve_asset_graph()
    for node in map(graph.get, graph.get_all_asset_keys()):
        assert node.description and node.group_name != "default" and node.owners and node.kinds, node.key


def test_an_invalid_setting_fails_the_run_and_not_the_code_location(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_PORT", "nonsense")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs().resolve_job_def("refresh")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success


def test_the_resources_page_shows_addresses_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert len(secrets) > 3
    for name in secrets:
        monkeypatch.setenv(variable(name), "redis://hidden")
    monkeypatch.setenv("GALLERY_VECTORS", "weaviate://weaviate.internal:8080")
    for resource in (build_defs().resources or {}).values():
        shown = str(resource)
        assert "weaviate.internal" in shown and "encoder='auto'" in shown and "hidden" not in shown


HEAVY = {
    "celery", "dagster_celery", "dagster_k8s", "flask", "google.cloud", "kubernetes", "lancedb",
    "sentence_transformers", "serving", "torch", "transformers", "weaviate",
}  # fmt: skip


def test_loading_the_code_location_imports_nothing_heavy() -> None:
    assert modules_loaded_by("pipelines.definitions") & HEAVY == set()


def test_dagster_accepts_the_instance_and_workspace_files(
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
    with dg.DagsterInstance.ephemeral() as instance:
        images = f"file://{tmp_path / 'elsewhere'}"  # an address in the launchpad counts for one run
        config = {"resources": {"services": {"config": {"images": images}}}}
        assert job.execute_in_process(config, instance).success
    assert list((tmp_path / "elsewhere").rglob("*.jpg")) and not (tmp_path / "home" / "images").exists()
    _, holder = lock.current(tables)
    assert holder is not None and holder.released  # given back when the run ended
