"""Show the progress of a refresh on stderr: as a live table in a terminal, otherwise as plain lines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from gallery.text import printable
from pipelines.parallel import in_background
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
MAX_SILENCE_S = 20.0
"""Seconds without a line after which a stage is reported as still running."""
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
        lines = StageLines(console)
        with in_background(lines.watch, "progress"):
            yield lines.update


class StageLines:
    """One line per event, and one after each `MAX_SILENCE_S` without an event."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = self.printed = time.monotonic()
        self._stage = ""

    def update(self, event: StageEvent) -> None:
        text = summary(event.stage, event.facts or {}) if event.kind == "done" else event.text
        self._stage = "" if event.kind in ("done", "failed") else event.stage
        self._print(event.stage, event.kind, text)

    def watch(self, ended: threading.Event) -> None:
        """Call `break_silence` each second until the event is set."""
        while not ended.wait(1):
            self.break_silence(time.monotonic())

    def break_silence(self, now: float) -> None:
        """Print that the stage still runs if nothing was printed for `MAX_SILENCE_S` before this time."""
        if self._stage and now - self.printed >= MAX_SILENCE_S:
            self._print(self._stage, "log", "still running")

    def _print(self, stage: str, kind: str, text: str) -> None:
        self.printed = time.monotonic()
        line = f"{self.printed - self._started:7.1f} s  {stage:<{STAGE_WIDTH}}  {kind:<6}  {text}"
        self._console.print(printable(line.rstrip()), markup=False, highlight=False, soft_wrap=True)


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
                MARKS[event.kind],
                stage,
                "" if seconds is None else f"{seconds:.1f} s",
                escape(printable(text)),
            )
        return table
