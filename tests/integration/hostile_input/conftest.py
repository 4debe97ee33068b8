"""The app over the sample gallery in memory, without rate limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.settings import Settings
from tests.fakes.web import app_with


@pytest.fixture
def app(settings_with: Callable[..., Settings]) -> Flask:
    return app_with(settings_with())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
