"""`gallery refresh` and `gallery why`."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def refresh(as_json: bool) -> None:
    """Bring the collection up to date with the dataset.

    Runs the Dagster job `refresh` in this process. What has not changed is not done again, and what is live stays
    live until the new build is complete.
    """
    from gallery.cli import errors_said
    from gallery.ports import Ports
    from gallery.settings import read_settings

    with errors_said():
        ports = Ports(read_settings())
        from pipelines.refresh import run_refresh
        from pipelines.view import watching

        with watching() as watch:
            counts = run_refresh(ports, watch)
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False))
    else:
        for name, value in counts.items():
            click.echo(f"{name.replace('_', ' '):<18} {value}")


@click.command()
@click.argument("work")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def why(work: str, as_json: bool) -> None:
    """Where a work or a file of the archive stands, and why.

    WORK is a work's id, a path in the archive, or a part of one.
    """
    from gallery.cli import errors_said
    from gallery.ports import Ports
    from gallery.settings import read_settings

    with errors_said():
        from pipelines.stages.tracing import trace

        traces = trace(Ports(read_settings()), work)
    if as_json:
        click.echo(json.dumps(traces, ensure_ascii=False))
        return
    for place, facts in enumerate(traces):
        if place:
            click.echo()
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):<12} {value}")
