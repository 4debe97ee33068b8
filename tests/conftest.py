"""Fixtures for all tests: settings that keep everything in a temporary folder, and nothing from the environment."""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gallery.settings import PREFIX, TEST_PREFIX, Settings, read_settings

ONE_PORT = ("tests.production.", "tests.integration.test_kaggle", "tests.pipelines.test_celery")
"""Modules that need the port at which the Kaggle client asks in its test environment; nothing can change it."""


@pytest.fixture(scope="module", autouse=True)
def _one_at_that_port(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where tests are spread over processes, such modules wait for each other."""
    if not request.module.__name__.startswith(ONE_PORT):
        yield
        return
    with (Path(tempfile.gettempdir()) / "gallery-tests-port-7777.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No GALLERY_* of the person running the tests, no .env, and no Dagster home of theirs."""
    for name in list(os.environ):
        if (name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)) or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    for name in ("gallery", "pipelines", "serving"):  # the command line sets these
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def settings_with(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with everything below a temporary folder and the fake encoder, but for what is given."""

    def make(**given: Any) -> Settings:
        unlimited = {"rate_limit": "off", "upload_rate_limit": "off"}
        return read_settings(**{"home": tmp_path / "home", "encoder": "fake", **unlimited, **given})

    return make


@pytest.fixture(scope="session")
def real_archive() -> Path:
    """The path that GALLERY_TEST_DATA names: real paintings in the Kaggle archive's layout."""
    named = os.environ.get("GALLERY_TEST_DATA")
    if not named:
        pytest.skip("GALLERY_TEST_DATA names no archive of real paintings")
    path = Path(named)
    if not path.exists():
        pytest.fail(f"GALLERY_TEST_DATA={named}, which does not exist")
    return path
