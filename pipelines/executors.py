"""Where the steps of a run are done. The only module that knows executors; everything else is the same for all."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from gallery.errors import Invalid
from gallery.settings import Settings, variable

EXTRA = "cluster"
"""The optional dependency that brings Celery and Kubernetes."""

ENCODING_OP = "encode_pictures"
"""The op that is worth a GPU."""

SPARE_S = 15
"""Seconds beyond a step's limit that a queue waits before it takes the worker for dead."""

GPU_NODES = {"artwork-gallery/embedding": "true"}
"""The label of the nodes that embedding goes to, where GALLERY_GPUS asks for any."""

# What a step's process imports anyway; a forkserver that has it already starts one in about a second instead of five.
# The storage modules are Dagster's own and are found by name; one that is gone in a later version is passed over.
PRELOADED = [
    "pipelines.definitions",
    "dagster._core.storage.legacy_storage",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.run_coordinator.queued_run_coordinator",
    "dagster._core.launcher.default_run_launcher",
    "dagster._daemon.daemon",
    "dagster._grpc.impl",
    "alembic",
]


def is_distributed(settings: Settings) -> bool:
    """True where the steps of one run are done in several processes."""
    return settings.executor != "in_process"


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """The executor that GALLERY_EXECUTOR names. Raises Invalid where something that it needs is missing."""
    if is_distributed(settings):
        _check_addresses(settings)
    match settings.executor:
        case "in_process":
            return dg.in_process_executor
        case "multiprocess":
            start = {"forkserver": {"preload_modules": PRELOADED}}
            return dg.multiprocess_executor.configured(
                {"max_concurrent": settings.max_steps, "start_method": start}
            )
        case "celery":
            return _celery(settings)
        case "k8s":
            return _kubernetes(settings)


def check_startable(settings: Settings) -> None:
    """Returns where a run can be started from this very process. Raises Invalid where only the cluster can."""
    if settings.executor == "k8s" and "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise Invalid(
            f"{variable('executor')}=k8s starts pods, which only a pod of the cluster may: start `refresh` in its Dagster UI, "
            f"or set {variable('executor')}=in_process for a run here"
        )


def _check_addresses(settings: Settings) -> None:
    for port in ("images", "tables", "vectors"):
        if settings.address(port).startswith("memory:"):
            raise Invalid(
                f"{variable(port)}={settings.address(port)} is one process's own, and {variable('executor')}="
                f"{settings.executor} uses several; name a store that all of them see"
            )


def celery_app_arguments(settings: Settings) -> dict[str, Any]:
    """What both ends of the Celery queue are set to: the executor and the workers. Raises Invalid without a broker.

    A task is acknowledged when it is done, so what a killed worker was at goes to another. Redis hands it out again
    after `visibility_timeout`, which must be longer than any step may take, or two workers would do one step.
    """
    if settings.broker is None:
        raise Invalid(
            f"{variable('executor')}=celery needs {variable('broker')}, such as redis://localhost:6379/0"
        )
    broker = settings.broker.get_secret_value()
    return {
        "broker": broker,
        "backend": broker if broker.startswith(("redis://", "rediss://")) else "rpc://",
        "config_source": {
            "task_acks_late": True,
            "worker_prefetch_multiplier": 1,
            "broker_connection_retry_on_startup": True,
            "broker_transport_options": {"visibility_timeout": settings.step_limit + SPARE_S},
        },
    }


def _celery(settings: Settings) -> dg.ExecutorDefinition:
    try:
        from dagster_celery import celery_executor
    except ModuleNotFoundError as error:
        raise _missing("celery", error) from error
    return celery_executor.configured(celery_app_arguments(settings))


def kubernetes_config(settings: Settings) -> dict[str, Any]:
    """The configuration of dagster-k8s' step executor. The image, the account and the environment of the pods are the
    run launcher's, so they stand once, in infra/kubernetes."""
    config: dict[str, Any] = {
        "max_concurrent": settings.max_steps,
        # A pod that hangs where the step's own limit cannot reach is ended by Kubernetes.
        "step_k8s_config": {"job_spec_config": {"active_deadline_seconds": settings.step_limit + 600}},
    }
    if settings.gpus:
        config["per_step_k8s_config"] = {
            ENCODING_OP: {
                "container_config": {"resources": {"limits": {"nvidia.com/gpu": str(settings.gpus)}}},
                "pod_spec_config": {
                    "node_selector": GPU_NODES,
                    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                },
            }
        }
    return config


def _kubernetes(settings: Settings) -> dg.ExecutorDefinition:
    try:
        from dagster_k8s import k8s_job_executor
    except ModuleNotFoundError as error:
        raise _missing("k8s", error) from error
    return k8s_job_executor.configured(kubernetes_config(settings))


def _missing(executor: str, error: ModuleNotFoundError) -> Invalid:
    return Invalid(
        f"{variable('executor')}={executor} needs {error.name}, which is not installed; pip install 'artwork-gallery[{EXTRA}]'"
    )
