"""The commands `gallery refresh`, `gallery lineage`, `gallery builds` and `gallery rollback`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gallery.text import printable_json

if TYPE_CHECKING:
    from gallery.services import Services


SHARE = click.FloatRange(0, 1)
INTERRUPTED = "Interrupted. The next `gallery refresh` continues from what is stored."


def open_services(**overrides: Any) -> Services:
    """Return the services of the settings. Imports are in the functions so that `--help` is fast."""
    from gallery.services import Services
    from gallery.settings import read_settings

    return Services(read_settings(**overrides))


@contextmanager
def _alert_on_error() -> Iterator[None]:
    """Report an error of the block to GALLERY_WEBHOOK, even if other settings are invalid.

    Also an unexpected one: no sensor reports the run of a command.
    """
    from gallery.errors import GalleryError

    try:
        yield
    except Exception as error:
        from gallery.settings import valid_settings
        from pipelines import alerts
        from pipelines.errors import Failure, RefreshFailed

        # The message of an unexpected error may quote an address with a key.
        text = (
            str(error)
            if isinstance(error, GalleryError)
            else f"unexpected {type(error).__name__}; see the log"
        )
        found: dict[str, Any] = {"failures": [Failure("", "", text)]}
        if isinstance(error, RefreshFailed):
            found = vars(error)
        settings = valid_settings()
        alerts.post(settings, alerts.failure_report(settings, job="refresh", **found))
        raise


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option("--dry-run", is_flag=True, help="Evaluate the new build, but publish and delete nothing.")
@click.option(
    "--publish-anyway",
    is_flag=True,
    help="Publish even if metrics are too low. Damaged builds are still refused.",
)
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Publish even if more works are missing from the dataset than GALLERY_MAX_REMOVED allows.",
)
@click.option("--per-artist", type=click.IntRange(1), metavar="N", help="GALLERY_PER_ARTIST for this run.")
@click.option("--max-quarantine", type=SHARE, metavar="X", help="GALLERY_MAX_QUARANTINE for this run.")
@click.option("--tolerance", type=SHARE, metavar="X", help="GALLERY_TOLERANCE for this run.")
@click.option("--reread", is_flag=True, help="Read every file and stored image again, even if unchanged.")
@click.option(
    "--no-wait", is_flag=True, help="Fail if another refresh is running, instead of waiting for it."
)
def refresh(as_json: bool, allow_removals: bool, no_wait: bool, **options: Any) -> None:
    """Bring the collection up to date with the dataset.

    Runs the Dagster job `refresh`. Unchanged works are not processed again. The live build stays live
    until the new one is complete and has passed its checks. If another refresh is running, this one
    starts when it has ended.

    The Dagster UI shows the run if DAGSTER_HOME is set, or the current folder has a dagster.yaml. With
    neither, no record of the run is kept.
    """
    from gallery.cli import echo, report_errors
    from pipelines.interrupts import exit_on_interrupt

    with report_errors(), exit_on_interrupt(INTERRUPTED) as is_interrupted, _alert_on_error():
        flags = {name: options.pop(name) for name in ("reread", "publish_anyway", "dry_run")}
        overrides = {name: value for name, value in options.items() if value is not None}
        if allow_removals:
            overrides["max_removed"] = 1.0
        services = open_services(**overrides)
        from pipelines.progress import show_progress
        from pipelines.runner import StageEvent, run_refresh

        with show_progress() as show:

            def callback(event: StageEvent) -> None:
                if not is_interrupted():
                    show(event)

            wait_s = 0 if no_wait else math.inf
            counts = run_refresh(services, callback, overrides=overrides, wait_s=wait_s, **flags)
    if as_json:
        click.echo(printable_json(counts))
    else:
        for name, value in counts.items():
            echo(f"{name.replace('_', ' '):<18} {value}")


@click.command()
@click.argument("work")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def lineage(work: str, as_json: bool) -> None:
    """Show how a file of the dataset became a work, or why it did not.

    WORK is the id of a work, a path in the dataset, or a part of either.
    """
    from gallery.cli import echo, report_errors

    if not work.strip():
        raise click.UsageError("WORK is empty.")
    with report_errors():
        from pipelines.lineage import lineage as find_lineage

        traces = find_lineage(open_services(), work)
    if as_json:
        click.echo(printable_json(traces))
        return
    for number, facts in enumerate(traces):
        if number:
            click.echo()
        for name, value in facts.items():
            echo(f"{name.replace('_', ' '):<15} {value}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the builds as JSON.")
def builds(as_json: bool) -> None:
    """List the builds of the collection, newest first. The live one is marked with *."""
    from gallery.cli import echo, report_errors

    with report_errors():
        from pipelines.defs.collection.rollback import list_builds

        services = open_services()
        found = list_builds(services.vectors, services.tables)
    if as_json:
        click.echo(printable_json(found))
        return
    if not found:
        click.echo("There are no builds yet; run `gallery refresh`.", err=True)
    for build in found:
        mark, made = "*" if build["live"] else " ", build["made"][:16].replace("T", " ")
        echo(
            f"{mark} {build['build']:<16} {build['state']:<10} {build['works']:>8} works  {made} UTC  "
            f"{build['encoder']}  {build['dataset']} {build['version']}"
        )


@click.command()
@click.argument("build", required=False)
@click.option(
    "--unblock",
    "only_unblock",
    is_flag=True,
    help="Instead of rolling back, unblock BUILD, or all blocked builds.",
)
@click.option("--force", is_flag=True, help="Publish BUILD even if it has never been live.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rollback(build: str | None, only_unblock: bool, force: bool, as_json: bool) -> None:
    """Make BUILD live again; by default the previously live build.

    Nothing is built or deleted. The build that was live is blocked: refreshes do not publish the same content
    again until `gallery rollback --unblock`.
    """
    from gallery.cli import echo, report_errors

    facts: dict[str, object]
    with report_errors():
        from pipelines.defs.collection.rollback import roll_back, unblock

        services = open_services()
        if only_unblock:
            unblocked = unblock(services.tables, build)
            facts = {"unblocked": unblocked}
            text = f"unblocked: {', '.join(unblocked) or 'none'}"
        else:
            moved = roll_back(services.vectors, services.tables, build, "", force=force)
            facts = {"live": moved.build.name, "before": moved.before, "encoder": moved.build.encoder}
            text = f"live: {moved.build.name} ({moved.build.works} works, {moved.build.encoder})"
            if moved.before:
                text += f"; {moved.before} is not published again until `gallery rollback --unblock`"
    echo(printable_json(facts) if as_json else text)
