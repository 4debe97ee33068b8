"""The same graph on every executor: by setting, with nothing lost when steps or processes die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._config import process_config

from gallery.errors import Invalid
from gallery.services import Services
from gallery.settings import Settings, read_settings
from pipelines import resources
from pipelines.definitions import build_defs
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.defs.images import assets as pictures
from pipelines.executors import GPU_NODES, celery_app_arguments, executor_of, kubernetes_config
from pipelines.runner import RefreshFailed, run_refresh
from tests.fakes.archives import artists_csv, picture, write_zip

ROOT = Path(__file__).parents[2]
WORKS = 12
FILES = {f"A/{n}.jpg": picture(n) for n in range(WORKS)}


@pytest.fixture
def small(tmp_path: Path, settings_with: Callable[..., Settings]) -> Callable[..., Settings]:
    """Settings for a small archive whose work is four shards."""
    path = write_zip(tmp_path / "a.zip", FILES, artists_csv(["A"]))
    return lambda **given: settings_with(**{"dataset": f"file://{path}", "shard_size": 3, **given})


# --- By setting


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
        with pytest.raises(Invalid, match=rf"GALLERY_EXECUTOR={name} needs .*artwork-gallery\[cluster\]"):
            executor_of(small(executor=name, broker="redis://localhost:6379/0"))


def test_celery_without_a_broker_says_so(small: Callable[..., Settings]) -> None:
    with pytest.raises(Invalid, match="celery needs GALLERY_BROKER"):
        executor_of(small(executor="celery"))


def test_a_store_in_one_processs_memory_cannot_be_spread(small: Callable[..., Settings]) -> None:
    with pytest.raises(Invalid, match=r"GALLERY_TABLES=memory:// is one process's own"):
        executor_of(small(executor="multiprocess", tables="memory://"))
    executor_of(small(tables="memory://"))


def test_the_queue_waits_longer_than_any_step_may_take(small: Callable[..., Settings]) -> None:
    config = celery_app_arguments(small(broker="redis://:secret@here/0", step_limit=100))["config_source"]
    assert config["task_acks_late"] is True
    assert config["broker_transport_options"]["visibility_timeout"] > 100


@pytest.mark.parametrize(
    ("broker", "backend"), [("redis://here/1", "redis://here/1"), ("pyamqp://guest@here//", "rpc://")]
)
def test_results_come_back_by_what_the_broker_can(
    small: Callable[..., Settings], broker: str, backend: str
) -> None:
    assert celery_app_arguments(small(broker=broker))["backend"] == backend


def test_a_worker_opens_the_encoder_once(small: Callable[..., Settings]) -> None:
    settings = small()
    assert resources.StepPorts(settings).encoder is resources.StepPorts(settings).encoder
    assert (
        resources.StepPorts(settings).encoder
        is not resources.StepPorts(small(encoder="fake://?dim=16")).encoder
    )


def test_loading_the_code_location_imports_no_executor_that_was_not_chosen() -> None:
    code = "import sys, pipelines.definitions; print({'dagster_celery', 'dagster_k8s', 'celery', 'kubernetes'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- In several processes of this machine


class Refresh:
    """`gallery refresh --json` as a person runs it, with steps in processes of their own."""

    def __init__(self, folder: Path, settings: Settings, **more: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "GALLERY_HOME": str(settings.home),
            "GALLERY_DATASET": settings.dataset,
            "GALLERY_ENCODER": settings.encoder,
            "GALLERY_SHARD_SIZE": str(settings.shard_size),
            "GALLERY_EXECUTOR": "multiprocess",
            "PYTHONUNBUFFERED": "1",
            **more,
        }

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gallery", "refresh", "--json"],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def done(self) -> tuple[int, str, str]:
        process = self.start()
        out, err = process.communicate(timeout=240)
        return process.returncode, out, err


def test_killed_with_its_steps_it_goes_on_at_once_and_ends_as_in_one_process(
    small: Callable[..., Settings], tmp_path: Path
) -> None:
    refresh = Refresh(tmp_path, small())
    process = refresh.start()
    assert process.stderr is not None and process.stdout is not None
    for line in process.stderr:
        if " images " in line and "start" in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    process.stderr.close()
    process.stdout.close()

    code, out, err = refresh.done()
    assert code == 0, err
    counts = json.loads(out)
    assert counts["indexed"] == counts["embedded"] == WORKS
    for stage in ("images", "embeddings", "live"):  # progress comes through from the other processes
        assert f"{stage} " in err and "Traceback" not in err
    services = Services(small())
    live = services.vectors.live()
    assert live is not None and live.works == WORKS and live.name == counts["build"]

    with dg.DagsterInstance.ephemeral() as instance:  # the same gallery, now in one process
        again = run_refresh(Services(small()), lambda _: None, instance)
    assert again["build"] == counts["build"] and (again["embedded"], again["images_uploaded"]) == (0, 0)


# --- Shards that get lost


KILLED_IN_THE_SECOND_SHARD = """
import os, sys
import dagster as dg
from gallery.encoders.fake import FakeEncoder
from tests.pipelines.test_execution import refresh_job

real, seen = FakeEncoder.embed_images, []
def embed(encoder, images):
    seen.append(1)
    if len(seen) == 2:
        os._exit(9)
    return real(encoder, images)
FakeEncoder.embed_images = embed
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    dg.execute_job(dg.reconstructable(refresh_job), instance)
"""


def refresh_job() -> dg.JobDefinition:
    return build_defs().resolve_job_def("refresh")


def test_what_re_execution_from_failure_loses_is_noticed_and_a_new_run_does_the_rest(
    small: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = small()
    for name in ("home", "dataset", "encoder", "shard_size"):
        monkeypatch.setenv(f"GALLERY_{name.upper()}", str(getattr(settings, name)))
    history = tmp_path / "history"
    history.mkdir()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THE_SECOND_SHARD, str(history)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == 9, killed.stderr
    cache = VectorCache(Services(settings).tables, Services(settings).encoder.fingerprint, 48)
    assert len(cache.present()) == 3 and len(cache.plan.sizes()) == 4

    job = dg.reconstructable(refresh_job)
    with dg.DagsterInstance.local_temp(str(history)) as instance:
        (run,) = instance.get_runs()
        instance.report_run_failed(run, "killed")  # as run monitoring does
        options = dg.ReexecutionOptions.from_failure(run.run_id, instance)
        again = dg.execute_job(job, instance, reexecution_options=options)
        lost = WORKS - len(cache.present())
        # Dagster 1.13 loses the shards that had not begun. Should a later version not, all is well without us.
        assert again.success == (lost == 0)
        if lost:
            (failure,) = [event for event in again.all_events if event.is_step_failure]
            assert failure.step_key == "embeddings.reconcile_embeddings"
            words = failure.step_failure_data.error.to_string()
            assert f"{lost} of {WORKS} pictures have no vector" in words
            assert Services(settings).vectors.live() is None
        assert dg.execute_job(job, instance).success
    assert len(cache.present()) == WORKS
    live = Services(settings).vectors.live()
    assert live is not None and live.works == WORKS


def test_a_shard_of_pictures_that_did_nothing_is_noticed(
    small: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = pictures.store_images, 0

    def upload(*args: Any, **kwargs: Any) -> dict[str, str]:
        nonlocal seen
        seen += 1
        return {} if seen == 2 else real(*args, **kwargs)

    monkeypatch.setattr(pictures, "store_images", upload)
    services = Services(small())
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(
            RefreshFailed,
            match=f"images failed: 3 of {WORKS} works have no pictures in .*materialize `images`",
        ),
    ):
        run_refresh(services, lambda _: None, instance)
    assert seen == 4
    with dg.DagsterInstance.ephemeral() as instance:
        counts = run_refresh(services, lambda _: None, instance)
    assert (counts["images_uploaded"], counts["images_unchanged"], counts["indexed"]) == (3, WORKS - 3, WORKS)


# --- On Kubernetes, as far as it can be checked without one


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
def test_every_manifest_is_one_that_kubernetes_knows(path: Path) -> None:
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


def test_the_pods_find_what_they_are_given() -> None:
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


def test_the_settings_of_the_pods_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in manifest("gallery-settings")["data"].items():
        monkeypatch.setenv(name, value)
    for name, value in manifest("gallery-secrets")["stringData"].items():
        monkeypatch.setenv(name, value)
    assert read_settings().executor == "k8s"


def instance_config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(manifest("dagster-instance")["data"]["dagster.yaml"])
    return config


def test_the_server_instances_are_understood_and_their_launcher_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "postgresql+psycopg2://dagster@postgres/dagster")
    from dagster._core.instance.config import dagster_instance_config_schema
    from dagster_k8s import K8sRunLauncher

    server = yaml.safe_load((ROOT / "infra" / "dagster" / "dagster.yaml").read_text())
    laptop = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    assert {name for name in laptop if laptop[name] != server[name]} == {"run_monitoring"}
    assert "gallery/refresh" in build_defs().resolve_job_def("refresh").tags
    for config in (server, instance_config()):
        done = process_config(dagster_instance_config_schema(), config)
        assert done.success, done.errors
        assert config["storage"]["postgres"]["postgres_url"] == {"env": "DAGSTER_POSTGRES_URL"}
        assert (
            config["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
        )  # 0 would keep a dead run's slots
    launcher = process_config(K8sRunLauncher.config_type(), instance_config()["run_launcher"]["config"])
    assert launcher.success, launcher.errors


@pytest.mark.parametrize("gpus", [0, 2])
def test_an_embedding_step_asks_for_a_gpu_where_one_is_wanted_and_no_other_step_does(
    small: Callable[..., Settings], gpus: int
) -> None:
    from dagster_k8s import k8s_job_executor

    settings = small(gpus=gpus)
    done = process_config(k8s_job_executor.config_schema.config_type, kubernetes_config(settings))
    assert done.success, done.errors
    encode, upload = (step_job(settings, op) for op in ("encode_pictures", "upload_images"))
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
    assert encode["spec"]["template"]["spec"].get("nodeSelector") == (GPU_NODES if gpus else None)
    assert "nvidia.com/gpu" not in json.dumps(upload)


def step_job(settings: Settings, op: str) -> dict[str, Any]:
    """The Kubernetes job of one step, as dagster-k8s makes it of the launcher's and the executor's configuration."""
    from dagster_k8s import K8sRunLauncher
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import DagsterK8sJobConfig, UserDefinedDagsterK8sConfig, construct_dagster_k8s_job
    from kubernetes.client import ApiClient

    given = process_config(K8sRunLauncher.config_type(), instance_config()["run_launcher"]["config"]).value
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
