"""The executors: where the steps of a run execute."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from gallery.errors import Invalid
from gallery.installation import install_command
from gallery.settings import Settings, variable

EXTRA = "cluster"
"""The optional dependency with Celery and Kubernetes."""
ENCODING_OP = "encode_images"
"""The op that runs the encoder. It requests GPUs if GALLERY_GPUS is set."""
QUEUE_GRACE_S = 15
"""Seconds beyond the limit of a step after which Celery gives the step to another worker."""
POD_GRACE_S = 600
"""Seconds beyond the limit of a step after which Kubernetes ends its pod."""
GPU_NODE_LABELS = {"artwork-gallery/embedding": "true"}
"""Labels of the nodes for encoding, if GALLERY_GPUS asks for GPUs."""


def is_distributed(settings: Settings) -> bool:
    """Return whether the steps of one run execute in several processes."""
    return settings.executor != "in_process"


def build_executor(settings: Settings) -> dg.ExecutorDefinition:
    """Return the executor that GALLERY_EXECUTOR names. Raises Invalid if it cannot work here."""
    if is_distributed(settings):
        _check_addresses(settings)
    match settings.executor:
        case "in_process":
            return dg.in_process_executor
        case "multiprocess":
            # The fork server imports the code once; a step then starts in about a second instead of five.
            start = {"forkserver": {"preload_modules": ["pipelines.preload"]}}
            return dg.multiprocess_executor.configured(
                {"max_concurrent": settings.max_steps, "start_method": start}
            )
        case "celery":
            return _celery_executor(settings)
        case "k8s":
            return _kubernetes_executor(settings)


def check_startable(settings: Settings) -> None:
    """Raise Invalid if this process cannot start a run because only the cluster can."""
    if settings.executor == "k8s" and "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise Invalid(
            f"{variable('executor')}=k8s starts pods, which works only inside the cluster: start `refresh` "
            f"in its Dagster UI, or set {variable('executor')}=in_process for a run here"
        )


def _check_addresses(settings: Settings) -> None:
    for name in ("images", "tables", "vectors"):
        if settings.address(name).startswith("memory:"):
            raise Invalid(
                f"{variable(name)}={settings.address(name)} belongs to one process, but "
                f"{variable('executor')}={settings.executor} uses several; choose a store that all can reach"
            )


def celery_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the Celery app for executor and workers. Raises Invalid without a broker.

    A task is acknowledged when it is done, so the step of a killed worker goes to another one. Redis
    redelivers it after `visibility_timeout`, which must exceed the limit of a step; otherwise two workers
    run the same step.
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
            "broker_transport_options": {"visibility_timeout": settings.step_limit + QUEUE_GRACE_S},
        },
    }


def _celery_executor(settings: Settings) -> dg.ExecutorDefinition:
    try:
        from dagster_celery import celery_executor
    except ModuleNotFoundError as error:
        raise _not_installed("celery", error) from error
    return celery_executor.configured(celery_config(settings))


def kubernetes_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of dagster-k8s' step executor.

    The pods' image, account and environment are those of the run launcher, set in infra/kubernetes.
    """
    config: dict[str, Any] = {
        "max_concurrent": settings.max_steps,
        # Ends a pod that hangs in a call that the time limit of the step cannot interrupt.
        "step_k8s_config": {
            "job_spec_config": {"active_deadline_seconds": settings.step_limit + POD_GRACE_S}
        },
    }
    if settings.gpus:
        config["per_step_k8s_config"] = {
            ENCODING_OP: {
                "container_config": {"resources": {"limits": {"nvidia.com/gpu": str(settings.gpus)}}},
                "pod_spec_config": {
                    "node_selector": GPU_NODE_LABELS,
                    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                },
            }
        }
    return config


def _kubernetes_executor(settings: Settings) -> dg.ExecutorDefinition:
    try:
        from dagster_k8s import k8s_job_executor
    except ModuleNotFoundError as error:
        raise _not_installed("k8s", error) from error
    return k8s_job_executor.configured(kubernetes_config(settings))


def _not_installed(executor: str, error: ModuleNotFoundError) -> Invalid:
    return Invalid(
        f"{variable('executor')}={executor} needs {error.name}, which is not installed; run "
        f"{install_command(EXTRA)}"
    )
