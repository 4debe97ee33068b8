"""Fixtures for all tests: settings below a temporary folder, and nothing of the user's environment."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import hypothesis
import pytest

from gallery.settings import PREFIX, TEST_PREFIX, Settings, read_settings

if TYPE_CHECKING:
    from tests.fakes.gallery import Gallery

AnyGallery = TypeVar("AnyGallery", bound="Gallery")

# Scripts start background commands with SIGINT ignored, which child processes inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# One thread for torch and BLAS, also in processes that tests start, since the suite keeps every core busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, however slow the machine is.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Hide the user's GALLERY_* variables, .env file and Dagster home."""
    for name in list(os.environ):
        if (name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)) or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    for name in ("gallery", "pipelines", "serving"):  # the command line sets their levels
        logging.getLogger(name).setLevel(logging.NOTSET)


def settings_below(home: Path) -> Callable[..., Settings]:
    """Return a function that makes settings with data below `home`, the fake encoder and no rate limits."""

    def make(**given: Any) -> Settings:
        unlimited = {"rate_limit": "off", "upload_rate_limit": "off"}
        return read_settings(**{"home": home, "encoder": "fake", **unlimited, **given})

    return make


@pytest.fixture
def settings_with(tmp_path: Path) -> Callable[..., Settings]:
    """Make settings below a temporary folder."""
    return settings_below(tmp_path / "home")


@pytest.fixture
def gallery(tmp_path: Path, settings_with: Callable[..., Settings]) -> Iterator[Gallery]:
    """Yield a small dataset that tests can change and refresh; nothing is built yet."""
    from tests.fakes.gallery import Gallery  # imports Dagster, which other tests need not wait for

    with Gallery(tmp_path, settings_with) as made:
        yield made


def built_once(folder: Path, kind: type[AnyGallery]) -> Iterator[Callable[[], AnyGallery]]:
    """Refresh a gallery once. Yield a function that returns it in the state after that refresh.

    The files are copied, so the next refresh reads them again, as their times are different.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX):
                patch.delenv(name)
        patch.chdir(folder)
        gallery = kind(folder / "gallery", settings_below(folder / "gallery" / "home"))
        counts, facts = gallery.refresh(), gallery.facts
    shutil.copytree(folder / "gallery", folder / "copy", symlinks=True)

    def restore() -> AnyGallery:
        shutil.rmtree(folder / "gallery")
        shutil.copytree(folder / "copy", folder / "gallery", symlinks=True)
        gallery.first, gallery.facts = dict(counts), dict(facts)
        return gallery

    with gallery:
        yield restore


@pytest.fixture(scope="session")
def _restore_gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Gallery]]:
    from tests.fakes.gallery import Gallery

    yield from built_once(tmp_path_factory.mktemp("built"), Gallery)


@pytest.fixture
def built_gallery(_restore_gallery: Callable[[], Gallery]) -> Gallery:
    """Return the dataset of `gallery` after one refresh, whose counts are in `first`; tests can change it."""
    return _restore_gallery()


@pytest.fixture(scope="session")
def real_archive() -> Path:
    """Return the path in GALLERY_TEST_DATA: real paintings in the layout of Kaggle's archive."""
    named = os.environ.get("GALLERY_TEST_DATA")
    if not named:
        pytest.skip("GALLERY_TEST_DATA is not set; it is the path of an archive of real paintings")
    path = Path(named)
    if not path.exists():
        pytest.fail(f"GALLERY_TEST_DATA={named} does not exist")
    return path


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a CLIP model of random weights, 24 floats a row, and return its folder."""
    pytest.importorskip("sentence_transformers", reason="needs the extra [encoders]")
    from tests.fakes.tiny_clip import write_tiny_clip

    return write_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")
