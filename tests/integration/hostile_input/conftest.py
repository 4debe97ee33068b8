"""The app over the small collection, and real servers over the same one on disk."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.services import Services
from gallery.settings import Settings, read_settings
from serving import create_app
from tests.serving.collection import stock, stocked
from tests.serving.conftest import site_of
from tests.serving.test_serve import SERVE, _root, _status, free_port


@dataclass(frozen=True)
class Server:
    """A running `gallery serve`."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def fill(settings: Settings) -> None:
    """Put the small collection where the settings say, published."""
    services, kept = Services(settings), stocked(settings)
    works, objects, rows = stock()
    for key, data in objects.items():
        services.images.put(key, data)
    build = kept.vectors.live()
    assert build
    services.vectors.create(dataclasses.replace(build)).upsert(works, rows)
    services.vectors.seal(build.name)
    services.vectors.publish(build.name)


@contextlib.contextmanager
def serving(folder: Path, **given: str) -> Iterator[Server]:
    """A server of its own over the small collection, until the block ends. `given` are settings."""
    home, port = folder / "home", free_port()
    fill(read_settings(home=home, encoder="fake"))
    settings = {
        "HOME": str(home),
        "ENCODER": "fake",
        "RATE_LIMIT": "off",
        "UPLOAD_RATE_LIMIT": "off",
        **given,
    }
    environment = {
        **os.environ,
        "PYTHONPATH": str(_root()),
        **{f"GALLERY_{k}": v for k, v in settings.items()},
    }
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-c", SERVE, "--port", str(port)]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + 30
            while _status(f"http://127.0.0.1:{port}/readyz") != 200:
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.1)
            yield Server(port, folder / "log")
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def app(settings_with: Callable[..., Settings]) -> Flask:
    return app_with(settings_with())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def app_with(settings: Settings) -> Flask:
    """The app over the small collection, warmed."""
    app = create_app(settings, services=stocked(settings))
    site_of(app).warmup.attempt()
    return app
