"""A refresh as seen from a terminal: a table that fills in, or plain lines where there is no terminal."""

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

# What to tell of a finished stage, in the order told.
TOLD = {
    "dataset": ("files", "version"),
    "artists": ("artists", "without_files"),
    "artworks": ("works", "duplicates", "quarantined"),
    "quarantine": ("quarantined",),
    "sample": ("sampled",),
    "images": ("images_uploaded", "images_unchanged"),
    "embeddings": ("embedded", "embeddings_reused", "encoder"),
    "candidate": ("indexed", "build"),
    "evaluation": ("verdict", "self_retrieval", "recall_at_10", "overlap_at_10"),
    "live": ("build",),
    "swept": ("deleted",),
    "map": ("tiles_drawn",),
}


def summary(stage: str, facts: dict[str, Any]) -> str:
    """A finished stage in a few words: "works 698, duplicates 33, quarantined 0"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {_short(facts[name])}" for name in TOLD[stage] if name in facts
    )


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def watching() -> Iterator[StageCallback]:
    """Something to hand progress to, shown on stderr until the block ends."""
    console = Console(stderr=True)
    if console.is_terminal:
        table = _StageTable()
        with Live(table, console=console, refresh_per_second=8):
            yield table.watch
    else:
        yield _lines(console)


def _lines(console: Console) -> StageCallback:
    started = time.monotonic()

    def watch(progress: StageEvent) -> None:
        text = summary(progress.stage, progress.facts or {}) if progress.kind == "done" else progress.text
        line = f"{time.monotonic() - started:7.1f} s  {progress.stage:<10}  {progress.kind:<6}  {text}"
        console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)

    return watch


MARKS = {
    "": "[dim]·[/]",
    "start": "[yellow]…[/]",
    "say": "[yellow]…[/]",
    "done": "[green]✓[/]",
    "failed": "[red]✗[/]",
}


class _StageTable:
    """The stages, one row each: state, seconds, and what it last said or found."""

    def __init__(self) -> None:
        self._state: dict[str, StageEvent] = {}
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}

    def watch(self, progress: StageEvent) -> None:
        now = time.monotonic()
        if progress.kind == "say" and self._state.get(progress.stage, progress).kind in ("done", "failed"):
            return
        self._began.setdefault(progress.stage, now)
        self._state[progress.stage] = progress
        if progress.kind in ("done", "failed"):
            self._took[progress.stage] = now - self._began[progress.stage]

    def __rich__(self) -> Table:
        table = Table(box=None, padding=(0, 1), show_header=False)
        table.add_column(width=1)
        table.add_column(min_width=10)
        table.add_column(justify="right", min_width=7)
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
        for stage in STAGES:
            state = self._state.get(stage, StageEvent(stage, ""))
            seconds = self._took.get(stage)
            if seconds is None and stage in self._began:
                seconds = time.monotonic() - self._began[stage]
            text = summary(stage, state.facts or {}) if state.kind == "done" else state.text
            table.add_row(
                MARKS[state.kind], stage, "" if seconds is None else f"{seconds:.1f} s", escape(text)
            )
        return table
