"""The resources of assets, jobs and sensors: the stores and the encoder that the settings name."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property, partial
from typing import Any, Self

import dagster as dg
from pydantic import Field

from gallery.encoders.base import Encoder
from gallery.encoders.opening import open_encoder
from gallery.services import Services
from gallery.settings import Settings, read_settings, variable
from pipelines import lock
from pipelines.executors import is_distributed

LOCK_OWNER_TAG = "gallery/lock-owner"
"""Tag of a run whose lock was acquired before Dagster gave the run an id."""
LOCATION_TAG = ".dagster/repository"
"""Dagster's tag with the code location of a run, by which the UI filters."""
MAX_RETRIES_TAG = "dagster/max_retries"


@cache
def process_encoder(address: str, batch_size: int) -> Encoder:
    """Return the encoder of this process, so that a worker that runs many steps loads the weights once."""
    return open_encoder(address, batch_size=batch_size)


class StepServices(Services):
    """The services of one step, with the encoder of the process.

    The settings are read by the first step that uses them, so that an invalid one fails that step with its
    message. Outside a step, Dagster would log a stack trace and start the run again.
    """

    def __init__(self, read: Callable[[], Settings]) -> None:
        self._read = read
        self._searching = False

    @cached_property
    def settings(self) -> Settings:  # type: ignore[override]
        return self._read()

    @cached_property
    def encoder(self) -> Encoder:
        return process_encoder(self.settings.encoder, self.settings.batch_size)


def lock_owner(run: dg.DagsterRun) -> str:
    """Return the name under which a run holds the refresh lock: its id, or the value of LOCK_OWNER_TAG."""
    return run.tags.get(LOCK_OWNER_TAG, run.run_id)


def run_of_owner(instance: dg.DagsterInstance, owner: str) -> dg.DagsterRun | None:
    """Return the run that holds the lock under this name, or None. Of several retries, the newest."""
    run = instance.get_run_by_id(owner)
    if run is not None:
        return run
    return next(iter(instance.get_runs(dg.RunsFilter(tags={LOCK_OWNER_TAG: owner}), limit=1)), None)


def finished_runs(instance: dg.DagsterInstance) -> lock.IsFinished:
    """Return a function that looks up whether an owner's run has finished."""

    def is_finished(owner: str) -> bool:
        run = run_of_owner(instance, owner)
        return run is not None and run.is_finished

    return is_finished


_held: dict[str, ExitStack] = {}
"""The refresh locks that this process holds, by owner."""


def hold_lock(context: dg.OpExecutionContext, services: Services) -> None:
    """Hold the refresh lock until the run, or its step in this process, has ended; wait for another refresh.

    Raises LockHeld if another refresh is running and this is a step of a distributed run, which must not
    occupy a worker; LockLost, Unavailable.
    """
    owner = lock_owner(context.run)
    if owner not in _held:
        distributed = is_distributed(services.settings)
        with ExitStack() as stack:
            acquired = lock.acquire(
                services.tables,
                owner,
                distributed=distributed,
                is_finished=finished_runs(context.instance),
                wait_s=0 if distributed else math.inf,
                on_wait=context.log.info,
            )
            stack.enter_context(acquired)
            _held[owner] = stack.pop_all()
        add_code_location(context.instance, context.run)
    lock.check(services.tables, owner)


@contextmanager
def _lock_released(context: dg.InitResourceContext) -> Iterator[None]:
    """Release the lock that a step has acquired in the block, if one has."""
    try:
        yield
    finally:
        if context.run is not None:
            _held.pop(lock_owner(context.run), ExitStack()).close()


def add_code_location(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Give a run that a command started the code location of the daemon's sensors.

    The UI's timeline and the sensors for failed runs leave out runs without one. Dagster has no public way to
    name it; the state of a sensor has it. Does nothing if no daemon has used this instance.

    The daemon must not start such a run again: whoever interrupted the command did not want that, and the
    daemon may have other settings.
    """
    if run.remote_job_origin is not None or instance.schedule_storage is None:
        return
    for state in instance.all_instigator_state():
        if state.instigator_name == "failure_alert":
            repository = state.origin.repository_origin
            instance.run_storage.replace_job_origin(run, repository.get_job_origin(run.job_name))
            tags = {LOCATION_TAG: repository.get_label(), MAX_RETRIES_TAG: "0"}
            instance.add_run_tags(run.run_id, tags)
            return


def _setting(name: str) -> Any:
    """Return the field of a setting whose value is shown on the resources page and can be set for one run."""
    help = Settings.model_fields[name].description
    return Field(None, description=f"{help} The default is {variable(name)}.")


class ServicesResource(dg.ConfigurableResource[Services]):
    """Stores and encoder of the `GALLERY_*` settings."""

    dataset: str | None = _setting("dataset")
    images: str | None = _setting("images")
    tables: str | None = _setting("tables")
    vectors: str | None = _setting("vectors")
    encoder: str | None = _setting("encoder")

    @classmethod
    def of(cls, settings: Settings | None) -> Self:
        """Return the resource with the addresses that the settings name, or with none."""
        if settings is None:
            return cls()
        addresses = {name: settings.address(name) for name in ("dataset", "images", "tables", "vectors")}
        return cls(encoder=settings.encoder, **addresses)

    def create_resource(self, context: dg.InitResourceContext) -> Services:
        """Return the services. Reads the settings again, so that a run reports those that are invalid."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return StepServices(
            partial(read_settings, **{name: value for name, value in given.items() if value is not None})
        )


class LockedServicesResource(ServicesResource):
    """Stores, encoder and limits of the `GALLERY_*` settings. Holds the refresh lock while in use."""

    per_artist: int | None = _setting("per_artist")
    max_quarantine: float | None = _setting("max_quarantine")
    max_removed: float | None = _setting("max_removed")
    tolerance: float | None = _setting("tolerance")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Services]:
        with _lock_released(context):
            yield self.create_resource(context)


def service_resources(given: Services | None, settings: Settings | None) -> dict[str, Any]:
    """Return the resources `services`, which holds the refresh lock for the run, and `unlocked_services`.

    Both are `given`, by default the services at the addresses of `settings`, which the UI shows. If
    `settings` is None, each run or tick reads the settings when it starts.
    """
    if given is None:
        return {
            "services": LockedServicesResource.of(settings),
            "unlocked_services": ServicesResource.of(settings),
        }

    @dg.resource
    def services(context: dg.InitResourceContext) -> Iterator[Services]:
        with _lock_released(context):
            yield given

    return {"services": services, "unlocked_services": dg.ResourceDefinition.hardcoded_resource(given)}
