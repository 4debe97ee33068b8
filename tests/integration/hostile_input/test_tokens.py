"""Tokens of uploaded images: only those that this site signed are accepted, in one spelling."""

from __future__ import annotations

import base64
import dataclasses
import random
import string
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.search.query import ImageTerm, Preview
from gallery.settings import Settings
from serving.tokens import CLOCK_SKEW_S, HEADER, MAX_AGE_S, Tokens, _digest
from tests.fakes.web import app_with, state_of

LETTERS = string.ascii_letters + string.digits + "-_."
UPLOAD = ImageTerm(np.eye(48, dtype=np.float32)[0], "fake/48/1", preview=Preview(b"webp", 4, 3))
KEY = "the key of this site, which is long enough"


@pytest.fixture
def app(settings_with: Callable[..., Settings]) -> Flask:
    return app_with(settings_with(secret_key=KEY))


@pytest.fixture
def token(app: Flask) -> str:
    """A valid token."""
    return state_of(app).tokens.sign(dataclasses.replace(UPLOAD, fingerprint=fingerprint(app))).token


def fingerprint(app: Flask) -> str:
    build = state_of(app).services.vectors.live()
    assert build
    return build.fingerprint


def status(client: FlaskClient, token: str) -> int:
    return client.get("/", query_string={"image": token}).status_code


def test_a_valid_token_is_accepted(client: FlaskClient, token: str) -> None:
    assert status(client, token) == 200


def test_a_changed_character_is_rejected(client: FlaskClient, token: str) -> None:
    chance = random.Random(5)
    places = [*range(4), *chance.sample(range(len(token)), 60), *range(len(token) - 50, len(token))]
    for place in places:
        letter = chance.choice([one for one in LETTERS if one != token[place]])
        assert status(client, token[:place] + letter + token[place + 1 :]) == 400, place


def test_another_spelling_of_the_signature_is_rejected(client: FlaskClient, token: str) -> None:
    spellings = [token[:-1] + letter for letter in LETTERS if letter != token[-1]]
    spellings += [token + extra for extra in ("=", "==", "!", "\u00e9", ".", "A")]
    spellings += [token[:-20] + "!" + token[-20:], token.replace("-", "+").replace("_", "/") + "="]
    assert {status(client, spelling) for spelling in spellings} == {400}


@pytest.mark.parametrize(
    "text", [".", "..", "a.b", "a.b.c", "." * 3_000, "=" * 3_000, "A" * 3_999, "\u0661" * 90, "é.é.é"]
)
def test_malformed_tokens_are_rejected(client: FlaskClient, text: str) -> None:
    assert status(client, text) == 400


@pytest.mark.parametrize("size", [4_001, 100_000])
def test_tokens_that_are_too_long_are_rejected(client: FlaskClient, size: int) -> None:
    assert client.get("/", query_string={"image": "A" * size}).status_code == 400


def test_a_token_signed_with_another_key_is_rejected(client: FlaskClient, app: Flask) -> None:
    for key in ("", "another key", KEY.upper(), KEY + " "):
        other = Tokens(key or None).sign(UPLOAD).token
        assert status(client, other) == 400


def test_a_token_expires_after_a_week(
    client: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + MAX_AGE_S - 3_600)
    assert status(client, token) == 200
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + MAX_AGE_S + 5)
    assert status(client, token) == 400


@pytest.mark.parametrize(("ahead_s", "expected"), [(CLOCK_SKEW_S - 5, 200), (CLOCK_SKEW_S + 5, 400)])
def test_a_token_from_the_future_is_accepted_within_the_skew_of_clocks(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, ahead_s: int, expected: int
) -> None:
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("itsdangerous.timed.time.time", lambda: now + ahead_s)
        upload = dataclasses.replace(UPLOAD, fingerprint=fingerprint(app))
        ahead = state_of(app).tokens.sign(upload).token
    assert status(client, ahead) == expected


def signed(app: Flask, body: bytes) -> str:
    """A token with this content, signed with the right key."""
    text = base64.urlsafe_b64encode(body).rstrip(b"=")
    return state_of(app).tokens._signer.sign(text).decode()


def test_malformed_content_is_rejected_even_if_signed(client: FlaskClient, app: Flask) -> None:
    digest = _digest(fingerprint(app))
    bomb = zlib.compress(b"\1" * 2_000_000, 9)
    bodies = [
        b"",
        b"short",
        HEADER.pack(b"x" * 8, 1, 1, 4, 1.0) + b"abcd",
        HEADER.pack(digest, 1, 1, 4, 1.0) + b"abcd",
        HEADER.pack(digest, 1, 1, 0, 1.0),
        HEADER.pack(digest, 1, 1, len(bomb), 1.0) + bomb,
        HEADER.pack(digest, 1, 1, 60_000, float("nan")) + zlib.compress(b"\1" * 64),
        HEADER.pack(digest, 1, 1, 60_000, float("inf")) + zlib.compress(b"\1" * 64),
        HEADER.pack(digest, 1, 1, 60_000, 1.0) + zlib.compress(b"\0" * 64),
        HEADER.pack(digest, 1, 1, 60_000, 1.0) + zlib.compress(b"\1" * 3),
    ]
    for body in bodies:
        assert status(client, signed(app, body)) == 400, body[:60]
