"""The `gallery` command. Results go to stdout; messages and progress go to stderr.

Exit codes: 0 success, 1 failure (with the reason and the remedy on stderr), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gallery.errors import GalleryError
from gallery.installation import install_command
from gallery.text import printable, printable_json

if TYPE_CHECKING:
    from PIL import Image

    from gallery.settings import Settings

COMMANDS = "gallery.commands"
"""Entry point group of additional commands: those of pipelines/ and serving/, which are not imported here."""


class Commands(click.Group):
    """The commands of this module, and those of the entry points in `COMMANDS`."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Ctrl-C ends it with the exit code that shells expect, not with click's 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(130)

    def _entry_points(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=COMMANDS)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._entry_points()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        added = self._entry_points()
        if cmd_name not in added:
            return super().get_command(ctx, cmd_name)
        command: click.Command = added[cmd_name].load()
        return command


def echo(line: str) -> None:
    """Print a line of a result. Hidden characters, which names from outside may contain, are escaped."""
    click.echo(printable(line))


@contextmanager
def report_errors() -> Iterator[None]:
    """Report this project's errors and missing packages as one message, with exit code 1."""
    try:
        yield
    except GalleryError as error:
        raise click.ClickException(str(error)) from error
    except ModuleNotFoundError as error:
        extra = {
            "dagster": "pipeline",
            "pandas": "pipeline",
            "flask": "web",
            "waitress": "web",
            "torch": "encoders",
        }
        name = (error.name or "").partition(".")[0]
        if name not in extra:
            raise
        raise click.ClickException(f"{name} is not installed; run {install_command(extra[name])}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="artwork-gallery")
def main() -> None:
    """Artwork similarity search: build a collection from a dataset, and search it by text or image."""
    from gallery.logs import configure

    configure()


@main.command()
@click.argument("text", required=False)
@click.option("--exclude", metavar="TEXT", help="What the works should not show.")
@click.option(
    "--image",
    "images",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Search with this image; can be repeated.",
)
@click.option("--like", metavar="ID", multiple=True, help="Find works like this one; can be repeated.")
@click.option("--unlike", metavar="ID", multiple=True, help="Find works unlike this one; can be repeated.")
@click.option("--artist", metavar="SLUG", multiple=True, help="Only by this artist; can be repeated.")
@click.option("--exclude-artist", metavar="SLUG", multiple=True, help="Not by this artist; can be repeated.")
@click.option("--style", multiple=True, help="Only by artists of this style; can be repeated.")
@click.option("--nationality", multiple=True, help="Only by artists of this nationality; can be repeated.")
@click.option("--active-from", type=int, metavar="YEAR", help="Only by artists alive in this year or later.")
@click.option("--active-to", type=int, metavar="YEAR", help="Only by artists alive in this year or before.")
@click.option("--per-artist", type=int, metavar="N", help="Maximum number of works per artist.")
@click.option(
    "-n", "--limit", type=int, metavar="N", help="Number of works.  [default: GALLERY_DEFAULT_RESULTS]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def search(
    text: str | None,
    exclude: str | None,
    images: tuple[Path, ...],
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    artist: tuple[str, ...],
    exclude_artist: tuple[str, ...],
    style: tuple[str, ...],
    nationality: tuple[str, ...],
    active_from: int | None,
    active_to: int | None,
    per_artist: int | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Find works that match TEXT, images and other works, best matches first."""
    from gallery.models import to_payload
    from gallery.search.engine import SearchEngine
    from gallery.search.query import InvalidQuery, SearchQuery, Term, TextTerm, WorkTerm, checked
    from gallery.services import Services
    from gallery.settings import read_settings
    from gallery.vectors.filters import Filter

    if any(words is not None and not words.strip() for words in (text, exclude)):
        raise click.UsageError("TEXT is empty.")
    terms: list[Term] = [TextTerm(text)] if text else []
    terms += [TextTerm(exclude, -1.0)] if exclude else []
    terms += [WorkTerm(id) for id in like] + [WorkTerm(id, -1.0) for id in unlike]
    where = Filter(artist, exclude_artist, style, nationality, active_from, active_to)
    with report_errors():
        settings = read_settings()
        shown = settings.default_results if limit is None else limit
        try:
            query = checked(SearchQuery(tuple(terms), where, per_artist, shown), settings)
            if not (query.terms or images):
                raise click.UsageError(
                    "Nothing to search for: give TEXT, --image FILE, --like ID or --unlike ID."
                )
            engine = SearchEngine(Services(settings, searching=True))
            collection = engine.live_collection()
            for path in images:
                query = query.with_term(engine.image_term(collection, _read_image(path, settings)))
            results = engine.search(collection, checked(query, settings))
        except InvalidQuery as error:
            raise click.UsageError(str(error)) from error
    if as_json:
        facts = [{"score": round(hit.score, 4), **to_payload(hit.artwork)} for hit in results.hits]
        click.echo(
            printable_json({"build": results.build.name, "encoder": results.encoder, "results": facts})
        )
        return
    if not results.hits:
        click.echo("No works match all these filters; remove some.", err=True)
    for hit in results.hits:
        by = hit.artwork.artist
        styles = ", ".join(by.styles)
        word = "text" if hit.matched_terms else hit.relevance.value
        line = (
            f"{hit.score:6.3f}  {word:7}  {by.name} ({by.years}; {styles})  "
            f"{hit.artwork.file}  {hit.artwork.id}"
        )
        echo(line)


def _read_image(path: Path, settings: Settings) -> Image.Image:
    """Return the image, within the limits of uploads. Raises Invalid or Unavailable, naming the file."""
    from gallery.errors import Invalid, Unavailable
    from gallery.images.sandbox import decode_untrusted

    try:
        with path.open("rb") as file:
            data = file.read(settings.max_upload + 1)
        if len(data) > settings.max_upload:
            raise Invalid(f"the file is larger than GALLERY_MAX_UPLOAD ({settings.max_upload:,} bytes)")
        return decode_untrusted(data, max_pixels=settings.max_upload_pixels, side=512).image
    except Invalid as error:
        raise Invalid(f"{path}: {error}") from error
    except Unavailable as error:
        raise Unavailable(f"{path}: {error}") from error
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
def settings(as_json: bool) -> None:
    """Print every setting with its value; secrets are masked."""
    from gallery.settings import Settings, read_settings, variable

    with report_errors():
        current = read_settings()
    values = {
        variable(name): _shown(getattr(current, name), given=name in current.model_fields_set)
        for name in Settings.model_fields
    }
    if as_json:
        click.echo(printable_json(values))
        return
    for name, field in Settings.model_fields.items():
        value, changed = values[variable(name)], name in current.model_fields_set
        # Not "NAME=None", which someone may copy into .env.
        shown = f"{variable(name)} is not set" if value is None else f"{variable(name)}={value}"
        echo(shown if changed or value is None else f"{shown}  (default)")
        echo(f"    {field.description}")


def _shown(value: Any, *, given: bool) -> Any:
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return "********" if given else value.get_secret_value()  # a default is not a secret
    return str(value) if isinstance(value, Path) else value


@main.command()
@click.option("--web", is_flag=True, help="Check only what the web app needs, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(web: bool, as_json: bool) -> None:
    """Check each configured service, and say what to do if one fails.

    Exits with 1 if a check fails. "not yet", for what only the first refresh makes, is not a failure.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from gallery.doctor import Status, examine
    from gallery.settings import read_settings

    with report_errors():
        findings = examine(read_settings(), web=web)
    if as_json:
        click.echo(printable_json([vars(finding) for finding in findings]))
    else:
        colors = {Status.OK: "green", Status.NOT_YET: "yellow", Status.FAILED: "red"}
        table = Table(box=None, padding=(0, 2, 0, 0))
        for title in ("check", "", "result", "what to do"):
            table.add_column(title, overflow="fold")
        for finding in findings:
            status = f"[{colors[finding.status]}]{finding.status}[/]"
            table.add_row(finding.check, status, escape(printable(finding.result)), escape(finding.advice))
        # In a file or a pipe, keep each finding on one line, so that grep works.
        Console(width=None if sys.stdout.isatty() else 10_000).print(table)
    if any(finding.status == Status.FAILED for finding in findings):
        raise SystemExit(1)
