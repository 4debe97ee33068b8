"""An app over the small collection, warmed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from gallery.models import Artwork
from gallery.services import Services
from gallery.settings import Settings
from serving import create_app
from serving.context import EXTENSION, AppState
from tests.serving.collection import drawing, encoded, stocked


@pytest.fixture
def settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(thumb_small=40, thumb_large=80, max_upload=200_000, max_upload_pixels=1_000_000)


@pytest.fixture
def services(settings: Settings) -> Services:
    return stocked(settings)


@pytest.fixture
def app(settings: Settings, services: Services) -> Flask:
    app = create_app(settings, services=services)
    site_of(app).warmup.attempt()
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def work(services: Services) -> Artwork:
    return services.vectors.open("one").works()[0]


def site_of(app: Flask) -> AppState:
    state: AppState = app.extensions[EXTENSION]
    return state


def upload(
    client: FlaskClient,
    data: bytes | None = None,
    path: str = "/",
    *,
    follow_redirects: bool = True,
    **fields: Any,
) -> TestResponse:
    """Where a picture leads to, or one drawn here, sent with these fields."""
    data = encoded(drawing("#c08020", 1)) if data is None else data
    # Encoded here: the client would put a large body into a temporary file and leave it open.
    file = FileStorage(io.BytesIO(data), "mine.png", "image")
    tokens = [fields.pop("image")] if "image" in fields else []
    boundary, body = encode_multipart({"image": [file, *tokens], **fields})
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(path, data=body, content_type=kind, follow_redirects=follow_redirects)
