"""The Kubernetes manifests and the Dagster instance files, checked without a cluster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from gallery.settings import Settings, read_settings
from pipelines.executors import GPU_NODE_LABELS, kubernetes_config

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "infra" / "kubernetes").glob("*.yaml"))
KINDS = {
    "ConfigMap": "V1ConfigMap",
    "Deployment": "V1Deployment",
    "Namespace": "V1Namespace",
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
    "Role": "V1Role",
    "RoleBinding": "V1RoleBinding",
    "Secret": "V1Secret",
    "Service": "V1Service",
    "ServiceAccount": "V1ServiceAccount",
}


def manifests(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


def manifest(name: str) -> dict[str, Any]:
    (found,) = [
        document
        for path in MANIFESTS
        for document in manifests(path)
        if document.get("metadata", {}).get("name") == name and document["kind"] in ("ConfigMap", "Secret")
    ]
    return found


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_manifest_is_valid(path: Path) -> None:
    import kubernetes.client.models as models
    from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict

    for document in manifests(path):
        if document["kind"] == "Kustomization":
            named = {ROOT / "infra" / "kubernetes" / name for name in document["resources"]}
            assert named == {one for one in MANIFESTS if one.name not in (path.name, "secrets.example.yaml")}
            continue
        kind = getattr(models, KINDS[document["kind"]])
        k8s_model_from_dict(
            kind, k8s_snake_case_dict(kind, document)
        )  # raises for a key that it does not have


def test_the_image_is_named_in_one_place(tmp_path: Path) -> None:
    for path in MANIFESTS:
        if path.name != "kustomization.yaml":
            assert "gallery-pipeline:" not in path.read_text("utf-8"), path.name
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed; it renders the kustomization")
    shutil.copytree(MANIFESTS[0].parent, tmp_path / "kubernetes")
    file = tmp_path / "kubernetes" / "kustomization.yaml"
    file.write_text(file.read_text("utf-8").replace('newTag: "1"', 'newTag: "2026.11"'))
    command = ["kubectl", "kustomize", str(file.parent)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    named = re.findall(r"gallery-pipeline:\S+", rendered)
    assert named == ["gallery-pipeline:2026.11"] * 5  # four containers, and DAGSTER_CURRENT_IMAGE


def test_the_pods_refer_to_existing_objects() -> None:
    known = {
        document["metadata"]["name"]
        for path in MANIFESTS
        for document in manifests(path)
        if "metadata" in document
    }
    settings = manifest("gallery-settings")["data"]
    assert {name for name in settings if name.startswith("GALLERY_")} <= {
        f"GALLERY_{name.upper()}" for name in Settings.model_fields
    }
    for document in manifests(ROOT / "infra" / "kubernetes" / "dagster.yaml"):
        if document["kind"] != "Deployment":
            continue
        pod = document["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        named = [source["name"] for given in container["envFrom"] for source in given.values()]
        named += [volume["configMap"]["name"] for volume in pod["volumes"]] + [pod["serviceAccountName"]]
        assert set(named) <= known
        assert pod["securityContext"]["runAsNonRoot"] is True
    text = "".join(path.read_text() for path in MANIFESTS if path.name != "secrets.example.yaml")
    assert "PASSWORD" not in text


def test_the_settings_of_the_pods_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in manifest("gallery-settings")["data"].items():
        monkeypatch.setenv(name, value)
    for name, value in manifest("gallery-secrets")["stringData"].items():
        monkeypatch.setenv(name, value)
    assert read_settings().executor == "k8s"


def instance_config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(manifest("dagster-instance")["data"]["dagster.yaml"])
    return config


def accepted(schema: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with defaults filled in. Fails if Dagster does not accept it."""

    @dg.op(config_schema=schema)
    def configured() -> None: ...

    job = dg.GraphDefinition("configured_job", node_defs=[configured]).to_job()
    given = dg.validate_run_config(job, {"ops": {"configured": {"config": config}}})
    found: dict[str, Any] = given["ops"]["configured"]["config"]
    return found


def test_dagster_accepts_the_instances_and_the_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "postgresql+psycopg2://dagster@postgres/dagster")
    from dagster_k8s import K8sRunLauncher
    from dagster_postgres import DagsterPostgresStorage

    server = yaml.safe_load((ROOT / "infra" / "dagster" / "dagster.yaml").read_text())
    laptop = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    assert {name for name in laptop if laptop[name] != server.get(name)} == {"run_monitoring", "compute_logs"}
    assert laptop["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}
    assert instance_config()["concurrency"] == server["concurrency"]
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for config in (server, instance_config()):
        storage = config.pop("storage")["postgres"]
        assert storage["postgres_url"] == {"env": "DAGSTER_POSTGRES_URL"}
        assert accepted(DagsterPostgresStorage.config_type(), storage)
        (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
        with dg.DagsterInstance.get():  # refuses unknown keys and values
            pass
    assert accepted(K8sRunLauncher.config_type(), instance_config()["run_launcher"]["config"])


@pytest.mark.parametrize("gpus", [0, 2])
def test_only_embedding_steps_request_gpus(settings_with: Callable[..., Settings], gpus: int) -> None:
    from dagster_k8s import k8s_job_executor

    settings = settings_with(gpus=gpus)
    assert accepted(k8s_job_executor.config_schema.as_field(), kubernetes_config(settings))
    encode, upload = (step_job(settings, op) for op in ("encode_images", "upload_images"))
    for job in (encode, upload):
        assert job["spec"]["activeDeadlineSeconds"] > settings.step_limit
        (container,) = job["spec"]["template"]["spec"]["containers"]
        sources = [source["name"] for given in container["envFrom"] for source in given.values()]
        assert {"gallery-settings", "gallery-secrets", "dagster-instance"} & set(sources) >= {
            "gallery-settings",
            "gallery-secrets",
        }
    limits = encode["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits.get("nvidia.com/gpu") == (str(gpus) if gpus else None)
    assert encode["spec"]["template"]["spec"].get("nodeSelector") == (GPU_NODE_LABELS if gpus else None)
    assert "nvidia.com/gpu" not in json.dumps(upload)


def step_job(settings: Settings, op: str) -> dict[str, Any]:
    """Return the Kubernetes job that dagster-k8s makes for a step."""
    from dagster_k8s import K8sRunLauncher
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import DagsterK8sJobConfig, UserDefinedDagsterK8sConfig, construct_dagster_k8s_job
    from kubernetes.client import ApiClient

    given = accepted(K8sRunLauncher.config_type(), instance_config()["run_launcher"]["config"])
    ours = kubernetes_config(settings)
    context = K8sContainerContext(
        service_account_name=given["service_account_name"],
        env_config_maps=given["env_config_maps"],
        env_secrets=given["env_secrets"],
        volumes=given["volumes"],
        volume_mounts=given["volume_mounts"],
        resources=given["resources"],
        run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(given["run_k8s_config"]),
    )
    for more in (ours["step_k8s_config"], ours.get("per_step_k8s_config", {}).get(op, {})):
        context = context.merge(
            K8sContainerContext(run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(more))
        )
    config = DagsterK8sJobConfig(
        job_image="gallery-pipeline:1",
        dagster_home=given["dagster_home"],
        instance_config_map=given["instance_config_map"],
    )
    job = construct_dagster_k8s_job(
        config.with_image("gallery-pipeline:1"),
        ["dagster", "api", "execute_step"],
        "a-step",
        context.run_k8s_config,
    )
    rendered: dict[str, Any] = ApiClient().sanitize_for_serialization(job)
    return rendered
