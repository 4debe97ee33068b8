"""The layout of the tests."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
TIERS = {"unit", "contracts", "integration", "browser", "load", "chaos"}


def test_every_test_is_in_a_tier() -> None:
    for path in TESTS.rglob("test_*.py"):
        assert path.relative_to(TESTS).parts[0] in TIERS, path


def test_no_test_module_is_imported() -> None:
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                package, _, module = name.rpartition(".")
                is_test = package.startswith("tests") and module.startswith("test_")
                assert not is_test, f"{path} imports {name}; put what both need into tests/fakes"
