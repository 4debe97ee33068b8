"""The code location. Only assembles: what the assets do is in their modules."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

import dagster as dg

from gallery.errors import Invalid
from gallery.services import Services
from gallery.settings import Settings, read_settings
from pipelines import maintenance, schedules, sensors
from pipelines.code_versions import as_configured
from pipelines.defs.catalog import assets as catalogue
from pipelines.defs.collection import assets as collection
from pipelines.defs.embeddings import assets as embeddings
from pipelines.defs.evaluation import assets as evaluation
from pipelines.defs.images import assets as pictures
from pipelines.defs.similarity_map import assets as map
from pipelines.executors import executor_of
from pipelines.jobs import rollback_job
from pipelines.resources import locked_services

log = logging.getLogger(__name__)

ASSET_MODULES = [catalogue, pictures, embeddings, collection, evaluation, map]
REFRESH = "refresh"


def settings_or_defaults() -> Settings:
    """The settings, or their defaults where there is a mistake in them: the UI comes up all the same, and the first run
    fails and says which."""
    try:
        return read_settings()
    except Invalid as error:
        log.error("%s", error)
        return Settings.model_construct()


def with_freshness(settings: Settings) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Gives `live` its freshness policy: the UI warns after half of GALLERY_STALE_AFTER and calls it stale after all."""
    late = timedelta(days=settings.stale_after)
    policy = dg.FreshnessPolicy.time_window(fail_window=late, warn_window=late / 2)

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        return dg.apply_freshness_policy(spec, policy) if spec.key == dg.AssetKey("live") else spec

    return apply


def build_defs(
    services: Services | None = None, loggers: Mapping[str, dg.LoggerDefinition] | None = None
) -> dg.Definitions:
    """Fresh definitions, for production, the command line and tests; `services` puts other stores in place.

    Raises Invalid where the executor of the settings cannot be had.
    """
    settings = services.settings if services is not None else settings_or_defaults()
    refresh = dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.all(),
        description="From the dataset to the live collection; whatever has not changed is not done again.",
        # A crashed run is run again from its start, by the daemon: Dagster loses shards where it goes on from a failure.
        # The tag of ours is what dagster.yaml lets only one run at a time have.
        tags={"dagster/retry_strategy": "ALL_STEPS", "gallery/refresh": "true"},
    )
    loaded = dg.load_assets_from_modules(ASSET_MODULES)
    assets = [asset for asset in loaded if isinstance(asset, dg.AssetsDefinition)]
    return dg.Definitions(
        assets=dg.map_asset_specs(
            as_configured(settings), dg.map_asset_specs(with_freshness(settings), assets)
        ),
        asset_checks=dg.load_asset_checks_from_modules(ASSET_MODULES),
        jobs=[refresh, rollback_job(services), maintenance.forget_old_runs],
        schedules=[*schedules.refresh_schedules(refresh, settings), *maintenance.schedules(settings)],
        sensors=sensors.refresh_sensors(refresh, services),
        resources={"services": locked_services(services)},
        loggers=loggers,
        executor=executor_of(settings),
    )


defs = build_defs()
