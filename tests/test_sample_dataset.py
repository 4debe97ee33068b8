"""The painted dataset: painted once, labelled as generated, its address checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gallery.datasets.base import DATASETS
from gallery.errors import Invalid


def test_it_is_painted_once_and_says_so(tmp_path: Path) -> None:
    dataset = DATASETS.open("sample://?artists=2&works=2&seed=3", home=tmp_path)
    said: list[str] = []
    assert len(dataset.fetch(said.append).entries()) == 5 and len(said) == 1
    (painted,) = (tmp_path / "datasets").iterdir()
    before = painted.stat().st_mtime_ns
    assert len(dataset.fetch(said.append).entries()) == 5 and len(said) == 1
    assert painted.stat().st_mtime_ns == before


def test_it_is_labelled_as_generated_and_a_file_is_not(tmp_path: Path) -> None:
    assert DATASETS.open("sample://", home=tmp_path).generated
    assert not DATASETS.open(f"file://{tmp_path}", home=tmp_path).generated


def test_its_version_names_what_decides_its_pictures(tmp_path: Path) -> None:
    versions = {
        DATASETS.open(f"sample://?{options}", home=tmp_path).version()
        for options in ("", "seed=8", "works=9", "artists=9")
    }
    assert len(versions) == 4
    assert list(tmp_path.iterdir()) == []  # asking paints nothing


@pytest.mark.parametrize("options", ["artists=0", "works=many", "seed=-1", "artist=3", "artists=1e3"])
def test_an_option_out_of_range_or_unknown_is_refused(tmp_path: Path, options: str) -> None:
    with pytest.raises(Invalid, match=options.partition("=")[0]):
        DATASETS.open(f"sample://?{options}", home=tmp_path)
