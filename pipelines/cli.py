"""`gallery refresh`, `gallery lineage`, `gallery builds` and `gallery rollback`."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Go on although more of the live works are gone from the dataset than GALLERY_MAX_REMOVED allows.",
)
def refresh(as_json: bool, allow_removals: bool) -> None:
    """Bring the collection up to date with the dataset.

    Runs the Dagster job `refresh` in this process. What has not changed is not done again, and what is live stays
    live until the new build is complete.
    """
    from gallery.cli import report_errors
    from gallery.services import Services
    from gallery.settings import read_settings

    with report_errors():
        services = Services(read_settings())
        from pipelines.progress import watching
        from pipelines.runner import run_refresh

        with watching() as watch:
            counts = run_refresh(services, watch, allow_removals=allow_removals)
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False))
    else:
        for name, value in counts.items():
            click.echo(f"{name.replace('_', ' '):<18} {value}")


@click.command()
@click.argument("work")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def lineage(work: str, as_json: bool) -> None:
    """Where a work or a file of the archive stands, and why.

    WORK is a work's id, a path in the archive, or a part of one.
    """
    from gallery.cli import report_errors
    from gallery.services import Services
    from gallery.settings import read_settings

    with report_errors():
        from pipelines.lineage import trace

        traces = trace(Services(read_settings()), work)
    if as_json:
        click.echo(json.dumps(traces, ensure_ascii=False))
        return
    for place, facts in enumerate(traces):
        if place:
            click.echo()
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):<12} {value}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def builds(as_json: bool) -> None:
    """The builds of the collection, the newest first; the live one is marked with *."""
    from gallery.cli import report_errors
    from gallery.services import Services
    from gallery.settings import read_settings

    with report_errors():
        from pipelines.defs.collection.rollback import list_builds

        services = Services(read_settings())
        found = list_builds(services.vectors, services.tables)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        click.echo("there are no builds yet; run `gallery refresh`", err=True)
    for build in found:
        mark, made = "*" if build["live"] else " ", build["made"][:16].replace("T", " ")
        click.echo(
            f"{mark} {build['build']:<16} {build['state']:<10} {build['works']:>8} works  {made} UTC  "
            f"{build['encoder']}  {build['dataset']} {build['version']}"
        )


@click.command()
@click.argument("build", required=False)
@click.option(
    "--release",
    "let_go",
    is_flag=True,
    help="Move nothing; let refreshes publish BUILD again, or all held ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what happened as JSON.")
def rollback(build: str | None, let_go: bool, as_json: bool) -> None:
    """Make BUILD live again, or the build that was live before.

    Nothing is built or deleted. The build that was live until now is held: no refresh publishes it again, until its
    content changes or --release lets it go.
    """
    from gallery.cli import report_errors
    from gallery.services import Services
    from gallery.settings import read_settings

    facts: dict[str, object]
    with report_errors():
        from pipelines.defs.collection.rollback import release, roll_back

        services = Services(read_settings())
        if let_go:
            freed = release(services.tables, build)
            facts = {"released": freed}
            words = f"released: {', '.join(freed) or 'none were held'}"
        else:
            moved = roll_back(services.vectors, services.tables, build, "")
            facts = {"live": moved.build.name, "before": moved.before, "encoder": moved.build.encoder}
            words = f"live: {moved.build.name} ({moved.build.works} works, {moved.build.encoder})"
            if moved.before:
                words += f"; held: {moved.before}"
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else words)
