"""The code location. Only assembles: what the assets do is in their modules."""

from collections.abc import Iterator, Mapping

import dagster as dg

from gallery.ports import Ports
from gallery.settings import read_settings
from pipelines.assets import catalogue, collection, embeddings, pictures
from pipelines.lock import one_at_a_time

ASSET_MODULES = [catalogue, pictures, embeddings, collection]
REFRESH = "refresh"


@dg.resource(description="The stores and the encoder that GALLERY_* settings name.")
def ports_from_settings(_: dg.InitResourceContext) -> Iterator[Ports]:
    """Read when a run starts, so that the UI comes up even while a setting is wrong, and the run says which.

    Holds the refresh lock for as long as the run lasts.
    """
    settings = read_settings()
    with one_at_a_time(settings.home):
        yield Ports(settings)


def build_defs(
    ports: Ports | None = None, loggers: Mapping[str, dg.LoggerDefinition] | None = None
) -> dg.Definitions:
    """Fresh definitions, for production, the command line and tests; `ports` puts other stores in place."""
    refresh = dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.all(),
        description="From the dataset to the live collection; whatever has not changed is not done again.",
    )
    return dg.Definitions(
        assets=dg.load_assets_from_modules(ASSET_MODULES),
        asset_checks=dg.load_asset_checks_from_modules(ASSET_MODULES),
        jobs=[refresh],
        resources={"ports": ports if ports is not None else ports_from_settings},
        loggers=loggers,
        # One process by default: each step process would load the model anew, about 5 s a step.
        executor=dg.in_process_executor,
    )


defs = build_defs()
