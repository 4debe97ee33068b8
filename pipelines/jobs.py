"""The jobs: refresh the collection, roll it back, delete the records of old runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from gallery.errors import GalleryError
from gallery.services import Services
from gallery.settings import read_settings
from pipelines.defs.collection.manifests import dataset_of
from pipelines.defs.collection.rollback import roll_back
from pipelines.reporting import asset_key

REFRESH = "refresh"
MAX_DELETED_RUNS = 1_000
"""Records that one run of `delete_old_runs` deletes at most."""
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def refresh_job() -> Any:  # Dagster does not export the type
    """Return the job that materializes all assets."""
    return dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.all(),
        description=(
            "Bring the live collection up to date with the dataset. Unchanged works are not processed again."
        ),
        # After a crash the daemon runs all steps again: Dagster can lose shards when it resumes a failed run.
        tags={"dagster/retry_strategy": "ALL_STEPS"},
    )


class RollbackConfig(dg.Config):
    """The build to make live."""

    build: str = Field(
        default="",
        description="The build to make live; empty for the previously live one. `gallery builds` lists them.",
    )
    force: bool = Field(
        default=False,
        description="Publish the build even if it has never been live, perhaps because it was refused.",
    )


@dg.op(description="Make an earlier build live, and block the build that it replaces.")
def publish_earlier_build(
    context: dg.OpExecutionContext, config: RollbackConfig, unlocked_services: dg.ResourceParam[Services]
) -> None:
    """Move the pointer, and report the new live build on the page of `published_collection` too."""
    try:
        moved = roll_back(
            unlocked_services.vectors,
            unlocked_services.tables,
            config.build or None,
            context.run.run_id,
            force=config.force,
        )
    except GalleryError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.log.info(f"live: {moved.build.name}; blocked: {moved.before or 'none'}")
    context.log_event(
        dg.AssetMaterialization(
            asset_key("published_collection"),
            description="rolled back",
            tags={"dagster/data_version": moved.build.name},
            metadata={
                "dagster/row_count": moved.build.works,
                "build": moved.build.name,
                "before": moved.before or "none",
                "made_at": moved.build.created_at,
                "dataset_version": dataset_of(unlocked_services.tables, moved.build).version,
            },
        )
    )


@dg.job(
    executor_def=dg.in_process_executor,
    description=(
        "Make an earlier build live, by default the previously live one. The build that it replaces is "
        "blocked: refreshes do not publish it again until `gallery rollback --unblock`."
    ),
)
def rollback() -> None:
    """Roll back without the refresh lock, so that a rollback does not wait for a refresh that goes wrong.

    It waits only while a refresh publishes. A refresh in progress stops before it publishes: its candidate
    was compared with another live build.
    """
    publish_earlier_build()


def old_runs(instance: dg.DagsterInstance, days: int) -> list[str]:
    """Return the ids of finished runs that were created more than `days` ago, oldest first.

    The latest run of each asset is not among them: the UI shows the asset's state from it.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    filters = dg.RunsFilter(statuses=FINISHED, created_before=before)
    records = instance.get_run_records(filters, limit=MAX_DELETED_RUNS, ascending=True)
    events = (instance.get_latest_materialization_event(key) for key in instance.get_asset_keys())
    latest = {event.run_id for event in events if event is not None}
    return [record.dagster_run.run_id for record in records if record.dagster_run.run_id not in latest]


@dg.op(description="Delete Dagster's records of runs that finished more than GALLERY_KEEP_RUNS days ago.")
def delete_run_records(context: dg.OpExecutionContext) -> None:
    """Delete the records only, and nothing that the runs made."""
    days = read_settings().keep_runs
    if not days:
        context.log.info("GALLERY_KEEP_RUNS is 0: no records are deleted")
        return
    runs = old_runs(context.instance, days)
    for run_id in runs:
        context.instance.delete_run(run_id)
    context.log.info(f"deleted the records of {len(runs)} runs")


@dg.job(
    executor_def=dg.in_process_executor,
    description="Delete Dagster's records of runs that finished more than GALLERY_KEEP_RUNS days ago.",
)
def delete_old_runs() -> None:
    """Limit Dagster's history, which grows by about a megabyte per refresh."""
    delete_run_records()
