"""The sample dataset: generated once, labelled as generated, its address checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gallery.datasets.base import DATASETS
from gallery.errors import Invalid, Unavailable
from sample_art import archive
from sample_art.pool import WorkerDied


def test_it_is_generated_once_and_reports_that(tmp_path: Path) -> None:
    dataset = DATASETS.open("sample://?artists=2&works=2&seed=3", home=tmp_path)
    lines: list[str] = []
    assert len(dataset.fetch(lines.append).entries()) == 5 and len(lines) == 1
    (file,) = (tmp_path / "datasets").iterdir()
    before = file.stat().st_mtime_ns
    assert len(dataset.fetch(lines.append).entries()) == 5 and len(lines) == 1
    assert file.stat().st_mtime_ns == before


def test_a_worker_that_dies_makes_the_dataset_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: object, **options: object) -> None:
        raise WorkerDied("a worker process ended with status 3")

    monkeypatch.setattr(archive, "write_archive", die)
    with pytest.raises(Unavailable, match="status 3"):
        DATASETS.open("sample://?artists=1&works=1", home=tmp_path).fetch()


def test_a_folder_that_cannot_be_written_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("in the way")
    with pytest.raises(Invalid, match="check GALLERY_HOME"):
        DATASETS.open("sample://?artists=1&works=1", home=tmp_path).fetch()


def test_it_is_labelled_as_generated_and_a_file_is_not(tmp_path: Path) -> None:
    assert DATASETS.open("sample://", home=tmp_path).generated
    assert not DATASETS.open(f"file://{tmp_path}", home=tmp_path).generated


def test_its_version_names_what_decides_its_images(tmp_path: Path) -> None:
    versions = {
        DATASETS.open(f"sample://?{options}", home=tmp_path).version()
        for options in ("", "seed=8", "works=9", "artists=9")
    }
    assert len(versions) == 4
    assert list(tmp_path.iterdir()) == []  # asking generates nothing


@pytest.mark.parametrize("options", ["artists=0", "works=many", "seed=-1", "artist=3", "artists=1e3"])
def test_an_option_out_of_range_or_unknown_is_refused(tmp_path: Path, options: str) -> None:
    with pytest.raises(Invalid, match=options.partition("=")[0]):
        DATASETS.open(f"sample://?{options}", home=tmp_path)
