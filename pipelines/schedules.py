"""When a refresh starts by itself."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from gallery.errors import Invalid
from gallery.settings import Settings, variable

OFF = "off"


def refresh_schedules(job: UnresolvedAssetJobDefinition, settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedule of GALLERY_SCHEDULE, if it is not off. Raises Invalid for a time that no clock shows.

    It is on from the start, since a collection that is to keep itself current should not wait for somebody to find a
    switch; a refresh with nothing to do changes nothing, and the switch is in the UI all the same.
    """
    if settings.schedule == OFF:
        return []
    try:
        schedule = dg.ScheduleDefinition(
            name="refresh_schedule",
            job=job,
            cron_schedule=settings.schedule,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Starts a refresh at the times of GALLERY_SCHEDULE.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise Invalid(
            f"{variable('schedule')}={settings.schedule!r} is no cron expression; write minute, hour, day, month and "
            f"weekday, as in '0 3 * * 1', or {OFF}"
        ) from error
    return [schedule]
