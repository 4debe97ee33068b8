"""What steps work with: the stores and the encoder of the settings, for as long as the run may write."""

from collections.abc import Iterator
from functools import cache, cached_property

import dagster as dg

from gallery.encoders import open_encoder
from gallery.encoders.base import Encoder
from gallery.services import Services
from gallery.settings import read_settings
from pipelines import lock as lease
from pipelines.executors import is_distributed


@cache
def process_encoder(address: str, batch_size: int) -> Encoder:
    """The encoder of this process: a worker that runs many steps loads its weights once."""
    return open_encoder(address, batch_size=batch_size)


class StepPorts(Services):
    """The ports of a step, whose encoder outlives it."""

    @cached_property
    def encoder(self) -> Encoder:
        return process_encoder(self.settings.encoder, self.settings.batch_size)


def ended_in(instance: dg.DagsterInstance) -> lease.Ended:
    """Says whether a run is over, as far as this Dagster instance knows of it."""

    def ended(run_id: str) -> bool:
        run = instance.get_run_by_id(run_id)
        return run is not None and run.is_finished

    return ended


def locked_services(given: Services | None = None) -> dg.ResourceDefinition:
    """The resource `services`: what the settings name, or `given`, and the refresh lease for the run.

    The settings are read when a run starts, so that the UI comes up even while one is wrong, and the run says which.
    """

    @dg.resource(
        description="The stores and the encoder that GALLERY_* settings name, and the refresh lease."
    )
    def services(context: dg.InitResourceContext) -> Iterator[Services]:
        opened = given if given is not None else StepPorts(read_settings())
        run, instance = context.run, context.instance
        if run is None or instance is None:
            raise dg.DagsterInvariantViolationError("the ports of a run are opened by a run")
        with lease.held(
            opened.tables,
            run.run_id,
            spread=given is None and is_distributed(opened.settings),
            ended=ended_in(instance),
        ):
            yield opened

    return services
