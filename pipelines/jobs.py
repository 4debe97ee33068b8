"""The job `rollback`: an earlier build made live again, from the UI."""

import dagster as dg
from pydantic import Field

from gallery.errors import GalleryError
from gallery.services import Services
from gallery.settings import read_settings
from pipelines.defs.collection.rollback import roll_back

ROLLBACK = "rollback"


class Target(dg.Config):
    """Where to go back to."""

    build: str = Field(
        default="",
        description="The build to make live; left empty, the one that was live before. `gallery builds` lists them.",
    )


def rollback_job(given: Services | None = None) -> dg.JobDefinition:
    """The job. It takes no refresh lease: going back must not have to wait for a refresh that goes wrong.

    A refresh that runs meanwhile finds another build live than its candidate was compared with, and stops there.
    """

    @dg.op(description="Move the pointer to the live build back, and hold back the build it came from.")
    def move_back(context: dg.OpExecutionContext, config: Target) -> None:
        services = given if given is not None else Services(read_settings())
        try:
            moved = roll_back(services.vectors, services.tables, config.build or None, context.run.run_id)
        except GalleryError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        context.log.info(
            f"live: {moved.build.name}, before: {moved.before or 'none'}, which is held from now on"
        )
        # So that the page of `live` shows it too.
        context.log_event(
            dg.AssetMaterialization(
                "live",
                description="rolled back",
                tags={"dagster/data_version": moved.build.name},
                metadata={
                    "dagster/row_count": moved.build.works,
                    "build": moved.build.name,
                    "before": moved.before or "none",
                    "made_at": moved.build.created_at,
                    "dataset_version": moved.build.version,
                },
            )
        )

    @dg.job(
        name=ROLLBACK,
        executor_def=dg.in_process_executor,
        description=(
            "Make an earlier build live again, by default the one that was live before. The build it replaces is held: "
            "no refresh publishes it again before `gallery rollback --release`."
        ),
    )
    def rollback() -> None:
        move_back()

    return rollback
