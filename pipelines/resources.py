"""The resources of assets, jobs and sensors: the stores and the encoder that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
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


@cache
def process_encoder(address: str, batch_size: int) -> Encoder:
    """Return the encoder of this process, so that a worker that runs many steps loads the weights once."""
    return open_encoder(address, batch_size=batch_size)


class StepServices(Services):
    """The services of one step, with the encoder of the process."""

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


@contextmanager
def hold_lock(
    context: dg.InitResourceContext, services: Services, *, distributed: bool = False
) -> Iterator[Services]:
    """Yield the services while the run holds the refresh lock. Raises Unavailable if another run holds it."""
    if context.run is None or context.instance is None:
        raise dg.DagsterInvariantViolationError("the resource `services` needs a run")
    with lock.acquire(
        services.tables,
        lock_owner(context.run),
        distributed=distributed,
        is_finished=finished_runs(context.instance),
    ):
        yield services


def _setting(name: str) -> Any:
    """Return the field of a setting whose value is shown on the resources page and can be set for one run."""
    help = Settings.model_fields[name].description
    return Field(None, description=f"{help} By default that of {variable(name)}.")


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
            read_settings(**{name: value for name, value in given.items() if value is not None})
        )


class LockedServicesResource(ServicesResource):
    """Stores and encoder of the `GALLERY_*` settings. Holds the refresh lock while in use."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Services]:
        services = self.create_resource(context)
        with hold_lock(context, services, distributed=is_distributed(services.settings)):
            yield services


def service_resources(given: Services | None, settings: Settings | None) -> dict[str, Any]:
    """Return the resources `services`, which holds the refresh lock for the run, and `unlocked_services`.

    Both are `given`, by default the services at the addresses of `settings`, which the UI shows. None for the
    settings leaves the addresses to the run or tick, which reads the settings when it starts.
    """
    if given is None:
        return {
            "services": LockedServicesResource.of(settings),
            "unlocked_services": ServicesResource.of(settings),
        }

    @dg.resource
    def services(context: dg.InitResourceContext) -> Iterator[Services]:
        with hold_lock(context, given):
            yield given

    return {"services": services, "unlocked_services": dg.ResourceDefinition.hardcoded_resource(given)}
