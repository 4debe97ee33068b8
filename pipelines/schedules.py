"""The schedules of the jobs. They are on by default; the UI can switch them off."""

import dagster as dg

from gallery.errors import Invalid
from gallery.settings import Settings, variable
from pipelines.jobs import REFRESH, delete_old_runs

OFF = "off"


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedules of the settings. Raises Invalid if GALLERY_SCHEDULE is not a cron expression."""
    schedules = []
    if settings.schedule != OFF:
        schedules.append(_refresh_schedule(settings))
    if settings.keep_runs:
        schedules.append(
            dg.ScheduleDefinition(
                name="delete_old_runs_schedule",
                job=delete_old_runs,
                cron_schedule="30 4 * * 0",
                execution_timezone="UTC",
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description="Delete records of old runs every Sunday.",
            )
        )
    return schedules


def _refresh_schedule(settings: Settings) -> dg.ScheduleDefinition:
    try:
        return dg.ScheduleDefinition(
            name="refresh_schedule",
            job_name=REFRESH,
            cron_schedule=settings.schedule,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Start a refresh at the times of GALLERY_SCHEDULE.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise Invalid(
            f"{variable('schedule')}={settings.schedule!r} is not a cron expression; write minute, hour, "
            f"day, month and weekday, as in '0 3 * * 1', or {OFF}"
        ) from error
