"""Hints to install something work for the way in which the product was installed."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from gallery.installation import PACKAGE, install_command, requirement

ROOT = Path(__file__).parents[2]
WHEEL = {"url": "https://example.org/artwork_gallery-1-py3-none-any.whl", "archive_info": {}}
GIT = {"url": "https://example.org/gallery.git", "vcs_info": {"vcs": "git", "commit_id": "a1b2"}}


@pytest.mark.parametrize(
    ("origin", "url"),
    [({}, None), (WHEEL, WHEEL["url"]), (GIT, "git+https://example.org/gallery.git@a1b2")],
    ids=["index", "wheel", "repository"],
)
def test_a_package_from_elsewhere_is_named_with_its_address(origin: dict[str, Any], url: str | None) -> None:
    (argument,) = shlex.split(requirement("web,encoders", origin))
    parsed = Requirement(argument)
    assert (parsed.name, parsed.extras, parsed.url) == (PACKAGE, {"web", "encoders"}, url)


@pytest.mark.parametrize("editable", [True, False])
def test_a_package_from_a_folder_is_named_by_its_folder(tmp_path: Path, editable: bool) -> None:
    folder = tmp_path / "my files & more"
    folder.mkdir()
    origin = {"url": folder.as_uri(), "dir_info": {"editable": editable}}
    assert shlex.split(requirement("web", origin)) == ["-e"] * editable + [f"{folder}[web]"]
    (folder / "constraints.txt").touch()
    assert shlex.split(requirement("web", origin))[:2] == ["-c", str(folder / "constraints.txt")]


def test_this_installation_names_its_folder() -> None:
    assert f"{ROOT}[kaggle]" in shlex.split(install_command("kaggle"))


def test_no_hint_or_guide_names_the_package_on_an_index() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if Path(name).suffix in (".py", ".md", ".html", "") and not name.startswith("tests/"):
            assert not re.search(rf"{PACKAGE}\[", (ROOT / name).read_text("utf-8")), name
