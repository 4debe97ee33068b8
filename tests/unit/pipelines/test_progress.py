"""Progress of a refresh, as lines."""

from __future__ import annotations

import io

from rich.console import Console

from pipelines.progress import MAX_SILENCE_S, StageLines
from pipelines.runner import StageEvent


def test_a_silent_stage_is_reported_until_it_is_done() -> None:
    output = io.StringIO()
    lines = StageLines(Console(file=output))

    def printed(seconds: float) -> list[str]:
        """Return the new lines, without their times, after that many seconds of silence."""
        output.truncate(output.seek(0))
        lines.break_silence(lines.printed + seconds)
        return [line.split(" s ")[1].strip() for line in output.getvalue().splitlines()]

    assert printed(1000) == []  # nothing has started
    lines.update(StageEvent("evaluation", "start"))
    assert printed(MAX_SILENCE_S - 1) == []
    assert printed(MAX_SILENCE_S + 1) == ["evaluation            log     still running"]
    lines.update(StageEvent("evaluation", "done", facts={}))
    assert printed(1000) == []
