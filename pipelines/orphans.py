"""A run that died without a word, and stays "started" for Dagster, which has nobody left to say otherwise.

The process of a run is watched by the code server that started it. Where that is gone too (the machine was restarted, the
daemon's service was killed), or where there was none (`gallery refresh`), Dagster 1.13 takes the run for a living one until
`max_runtime_seconds`, and every other refresh stays queued behind it. The refresh lease knows better.
"""

import dagster as dg

from gallery.objects.base import ObjectStore
from pipelines import lock as lease

LOOK_EVERY_S = 60
"""Seconds between two looks; longer than two renewals of the lease, so that a living holder is seen to renew it."""
MESSAGE = (
    "The process of this run is gone, or was not heard of for too long, and nobody said so. What is live has not changed, "
    "and what the run had stored is kept."
)


def report_the_dead(
    instance: dg.DagsterInstance, store: ObjectStore, cursor: str | None
) -> dg.SensorResult | dg.SkipReason:
    """Ends the run that holds the lease, where Dagster takes it for a living one and it is dead. Starts no run: the
    daemon does that for runs that it started, and lets the queued ones go on.

    Dead is a run whose process was on this machine and is gone; or whose lease ran out, and was as old at the last look.
    """
    number, holder = lease.current(store)
    if holder is None or holder.released:
        return dg.SkipReason("no refresh is under way")
    run = instance.get_run_by_id(holder.run)
    if run is None or run.is_finished:
        return dg.SkipReason(f"this Dagster has no living run of that id ({holder})")
    seen = f"{number} {holder.renewed}"
    if lease.has_died(holder) or (lease.is_silent(holder) and seen == cursor):
        instance.report_run_failed(run, MESSAGE)
        return dg.SensorResult(skip_reason=dg.SkipReason(f"it died, and is a failed run now: {holder}"))
    return dg.SensorResult(skip_reason=dg.SkipReason(f"under way: {holder}"), cursor=seen)
