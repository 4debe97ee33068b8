"""The resources of assets, jobs and sensors: the stores and the encoder that the settings name."""

from collections.abc import Iterator
from functools import cache, cached_property

import dagster as dg

from gallery.encoders.base import Encoder
from gallery.encoders.opening import open_encoder
from gallery.services import Services
from gallery.settings import read_settings
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


def service_resources(given: Services | None = None) -> dict[str, dg.ResourceDefinition]:
    """Return the resources `services`, which holds the refresh lock for the run, and `unlocked_services`.

    Both are `given`, by default the services of the settings. Settings are read when a run or tick starts, so
    that the UI starts even if one is invalid, and the run reports it.
    """

    @dg.resource(
        description="Stores and encoder of the GALLERY_* settings. Holds the refresh lock while in use."
    )
    def services(context: dg.InitResourceContext) -> Iterator[Services]:
        opened = given if given is not None else StepServices(read_settings())
        if context.run is None or context.instance is None:
            raise dg.DagsterInvariantViolationError("the resource `services` needs a run")
        with lock.acquire(
            opened.tables,
            lock_owner(context.run),
            distributed=given is None and is_distributed(opened.settings),
            is_finished=finished_runs(context.instance),
        ):
            yield opened

    @dg.resource(description="Stores of the GALLERY_* settings, without the refresh lock.")
    def unlocked_services(_: dg.InitResourceContext) -> Services:
        return given if given is not None else Services(read_settings())

    return {"services": services, "unlocked_services": unlocked_services}
