"""The code location: assembles what the other modules define."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

import dagster as dg

from gallery.errors import Invalid
from gallery.logs import OneLineFormatter
from gallery.services import Services
from gallery.settings import Settings, read_settings
from pipelines import jobs
from pipelines.code_versions import as_configured
from pipelines.defs.catalog import assets as catalog
from pipelines.defs.catalog import scanned_files
from pipelines.defs.collection import assets as collection
from pipelines.defs.embeddings import assets as embeddings
from pipelines.defs.evaluation import assets as evaluation
from pipelines.defs.images import assets as images
from pipelines.defs.similarity_map import assets as similarity_map
from pipelines.dev import forget_exported_settings
from pipelines.executors import build_executor
from pipelines.locations import add_location, external_assets
from pipelines.reporting import KEY_PREFIX, asset_key
from pipelines.resources import service_resources
from pipelines.schedules import build_schedules
from pipelines.sensors import SENSORS

log = logging.getLogger(__name__)

ASSET_MODULES = [catalog, scanned_files, images, embeddings, collection, evaluation, similarity_map]


def build_defs(services: Services | None = None) -> dg.Definitions:
    """Return new definitions that use `services`, by default those of the settings.

    Raises Invalid if the executor or the schedule of the settings cannot work.
    """
    known = services.settings if services is not None else settings_or_none()
    settings = known or Settings.model_construct()
    return dg.Definitions(
        assets=[*load_assets(settings), *external_assets(settings)],
        asset_checks=dg.load_asset_checks_from_modules(ASSET_MODULES, asset_key_prefix=KEY_PREFIX),
        jobs=[jobs.refresh_job(), jobs.rollback, jobs.delete_old_runs],
        schedules=build_schedules(settings),
        sensors=SENSORS,
        resources=service_resources(services, known),
        executor=build_executor(settings),
    )


def load_assets(settings: Settings) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of all modules, with what depends on the settings."""
    loaded = dg.load_assets_from_modules(ASSET_MODULES, key_prefix=KEY_PREFIX)
    assets: Sequence[dg.AssetsDefinition] = [
        asset for asset in loaded if isinstance(asset, dg.AssetsDefinition)
    ]
    for change in (as_configured(settings), add_location(settings, ASSET_MODULES), add_freshness(settings)):
        assets = dg.map_asset_specs(change, assets)
    return assets


def settings_or_none() -> Settings | None:
    """Return the settings, or None if one is invalid: the UI starts, and the first run reports it."""
    try:
        return read_settings()
    except Invalid as error:
        log.error("%s", " ".join(str(error).split("\n  ")))
        return None


def add_freshness(settings: Settings) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Return a function that sets the freshness policy of `published_collection`.

    The UI warns after half of GALLERY_STALE_AFTER days, and shows an error after all of them.
    """
    window = timedelta(days=settings.stale_after)
    policy = dg.FreshnessPolicy.time_window(fail_window=window, warn_window=window / 2)

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        is_live = spec.key == asset_key("published_collection")
        return dg.apply_freshness_policy(spec, policy) if is_live else spec

    return apply


forget_exported_settings()
# In processes that Dagster starts, Python's handler of last resort writes the warnings of this project.
if logging.lastResort:
    logging.lastResort.setFormatter(OneLineFormatter())
defs = build_defs()
