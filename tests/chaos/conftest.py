"""Mark the tests below this folder, which kill processes and take services away."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.chaos.faults")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chaos)
