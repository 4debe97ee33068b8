"""Show the progress of a refresh on stderr: as a live table in a terminal, otherwise as plain lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from pipelines.runner import STAGES, StageCallback, StageEvent

SUMMARY_FIELDS = {
    "raw_dataset": ("files", "version"),
    "artists": ("artists", "without_files"),
    "scanned_files": ("files_read", "unreadable"),
    "artworks": ("works", "duplicates", "quarantined"),
    "quarantine": ("quarantined",),
    "sample": ("sampled",),
    "images": ("images_uploaded", "images_unchanged"),
    "embeddings": ("embedded", "embeddings_reused", "encoder"),
    "candidate": ("indexed", "build"),
    "evaluation": ("result", "self_retrieval", "recall_at_10", "overlap_at_10"),
    "published_collection": ("build",),
    "image_cleanup": ("deleted",),
    "similarity_map": ("tiles_drawn",),
}
"""Stage -> the metadata to show when it is done."""
STAGE_WIDTH = max(map(len, STAGES))
MARKS = {
    "": "[dim]·[/]",
    "start": "[yellow]…[/]",
    "log": "[yellow]…[/]",
    "done": "[green]✓[/]",
    "failed": "[red]✗[/]",
}


def summary(stage: str, facts: dict[str, Any]) -> str:
    """Return the figures of a finished stage on one line: "works 698, duplicates 33, quarantined 0"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {_format(facts[name])}"
        for name in SUMMARY_FIELDS.get(stage, ())
        if name in facts
    )


def _format(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def show_progress() -> Iterator[StageCallback]:
    """Yield a callback that shows events on stderr until the block ends."""
    console = Console(stderr=True)
    if console.is_terminal:
        table = _StageTable()
        with Live(table, console=console, refresh_per_second=8):
            yield table.update
    else:
        yield _line_printer(console)


def _line_printer(console: Console) -> StageCallback:
    started = time.monotonic()

    def print_line(event: StageEvent) -> None:
        text = summary(event.stage, event.facts or {}) if event.kind == "done" else event.text
        line = f"{time.monotonic() - started:7.1f} s  {event.stage:<{STAGE_WIDTH}}  {event.kind:<6}  {text}"
        console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)

    return print_line


class _StageTable:
    """A table with one row per stage: its state, seconds, and last message or figures."""

    def __init__(self) -> None:
        self._last: dict[str, StageEvent] = {}
        self._started: dict[str, float] = {}
        self._seconds: dict[str, float] = {}

    def update(self, event: StageEvent) -> None:
        now = time.monotonic()
        ended = event.stage in self._last and self._last[event.stage].kind in ("done", "failed")
        if event.kind == "log" and ended:
            return
        self._started.setdefault(event.stage, now)
        self._last[event.stage] = event
        if event.kind in ("done", "failed"):
            self._seconds[event.stage] = now - self._started[event.stage]

    def __rich__(self) -> Table:
        table = Table(box=None, padding=(0, 1), show_header=False)
        table.add_column(width=1)
        table.add_column(min_width=STAGE_WIDTH)
        table.add_column(justify="right", min_width=7)
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
        for stage in STAGES:
            event = self._last.get(stage, StageEvent(stage, ""))
            seconds = self._seconds.get(stage)
            if seconds is None and stage in self._started:
                seconds = time.monotonic() - self._started[stage]
            text = summary(stage, event.facts or {}) if event.kind == "done" else event.text
            table.add_row(
                MARKS[event.kind], stage, "" if seconds is None else f"{seconds:.1f} s", escape(text)
            )
        return table
