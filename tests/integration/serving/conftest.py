"""A warm app over the sample gallery."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.models import Artwork
from gallery.services import Services
from gallery.settings import Settings
from tests.fakes.collection import stocked
from tests.fakes.web import app_with


@pytest.fixture
def settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(thumb_small=40, thumb_large=80, max_upload=200_000, max_upload_pixels=1_000_000)


@pytest.fixture
def services(settings: Settings) -> Services:
    return stocked(settings)


@pytest.fixture
def app(settings: Settings, services: Services) -> Flask:
    return app_with(settings, services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def work(services: Services) -> Artwork:
    return services.vectors.open("one").works()[0]
