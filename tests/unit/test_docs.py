"""The documentation: links lead somewhere, and the commands in it exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gallery.cli import main

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("infra/**/*.md"))]


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def code_lines(page: Path) -> Iterator[str]:
    """Yield the lines of a page's code blocks."""
    for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_commands_in_the_documentation_exist(page: Path) -> None:
    commands = main.list_commands(click.Context(main))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in code_lines(page):
        for command in re.findall(r"(?:^|\W)(?<!-u )gallery ([a-z]+)", line):
            assert command in commands, line
        for target in re.findall(r"^make ([a-z-]+)", line):
            assert target in targets, line


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_files_named_in_the_documentation_exist(page: Path) -> None:
    folders = "|".join(
        ["benchmarks", "docs", "gallery", "infra", "pipelines", "sample_art", "serving", "tests"]
    )
    for path in re.findall(rf"`((?:{folders})/[\w./-]*(?:/|\.\w+))`", page.read_text("utf-8")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("folder", ["docs", "docs/decisions"])
def test_the_index_lists_every_page(folder: str) -> None:
    index = (ROOT / folder / "README.md").read_text("utf-8")
    for page in (ROOT / folder).glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def test_each_flow_of_the_architecture_names_a_module_once() -> None:
    sections = (ROOT / "docs/architecture.md").read_text("utf-8").split("\n## ")
    flows = [section for section in sections if "\n1. " in section]
    assert len(flows) == 3
    for flow in flows:
        modules = re.findall(r"`([\w/]+\.py)`", flow)
        assert len(modules) == len(set(modules)) > 5, modules
