"""Metadata as the UI shows it: rounded figures, tables first and narrow enough."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reporting import MAX_WORD, markdown_table
from pipelines.results import tidy

CONTEXT: Any = SimpleNamespace(log=logging.getLogger("pipelines.test"))


@given(st.floats(-1e6, 1e6))
def test_figures_have_at_most_four_decimals(value: float) -> None:
    check = tidy(CONTEXT, dg.AssetCheckResult(passed=True, metadata={"share": value}))
    result = tidy(CONTEXT, dg.MaterializeResult(metadata={"share": value}, check_results=[check]))
    for figure in (result.metadata["share"], check.metadata["share"].value):
        assert figure == pytest.approx(value, abs=1e-4) and figure == float(f"{figure:.4f}")


def test_tables_come_first_and_the_rest_keeps_its_order() -> None:
    table = markdown_table(("artist",), [("Hals",)])
    result = tidy(
        CONTEXT, dg.MaterializeResult(metadata={"works": 1, "new": 0, "table": table, "build": "b"})
    )
    assert list(result.metadata) == ["table", "works", "new", "build"]


def test_the_reason_of_a_failed_check_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    failed = dg.AssetCheckResult(passed=False, description="8 of 51 files are unusable")
    passed = dg.AssetCheckResult(passed=True, description="all is well")
    tidy(CONTEXT, dg.MaterializeResult(check_results=[failed, passed]))
    assert caplog.messages == [failed.description]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=4))
def test_a_table_has_no_long_word_and_no_extra_cell(rows: list[tuple[str, str]]) -> None:
    lines = markdown_table(("file", "reason"), rows).value
    assert lines is not None
    assert len(lines.split("\n")) == 2 + len(rows)
    for line in lines.split("\n"):
        assert line.count("|") == 3
        assert all(len(word) <= MAX_WORD for word in line.split())
