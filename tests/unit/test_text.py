"""Names from outside stay on their line in logs and on the terminal."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import Invalid
from gallery.logs import OneLineFormatter, print_unexpected
from gallery.text import HIDDEN, JOINERS, is_hidden, printable, visible

HOSTILE = "x\r\n2026-01-01 00:00:00,000 ERROR serving: FAKE\x1b[31m\u202e\u2028\x85\0\ud800"


@given(st.text() | st.text(st.characters(categories=("Cc", "Cf", "Zl", "Zp", "Cs"))))
def test_nothing_hidden_is_left_and_everything_else_is_kept(text: str) -> None:
    shown = printable(text)
    for safe in (shown, str(Invalid(text)), visible(text, keep="")):
        assert not any(unicodedata.category(character) in HIDDEN for character in safe)
        assert len(safe.splitlines()) <= 1
    assert [c for c in visible(text) if not c.isspace()] == [
        c for c in text if c in JOINERS or not (c.isspace() or is_hidden(c))
    ]
    if not any(unicodedata.category(character) in HIDDEN for character in text):
        assert shown == text


@pytest.mark.parametrize("text", ["Dürer", "葛飾 北斎", "a b", "“x” – y", "images/images/A_B/1.jpg"])
def test_ordinary_names_are_unchanged(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("with_error", [False, True])
def test_a_log_record_cannot_forge_another_one(with_error: bool) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.Logger("tests")
    logger.addHandler(handler)
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        logger.warning("cannot read %s", HOSTILE, exc_info=error if with_error else None)
        with contextlib.redirect_stderr(stream if with_error else io.StringIO()):
            print_unexpected(*sys.exc_info())
    lines = stream.getvalue().split("\n")[:-1]
    assert lines[0].startswith("WARNING tests: cannot read x") and "FAKE" in lines[0]
    assert all(line.startswith("  ") for line in lines[1:])
    assert bool(lines[1:]) == with_error
    assert not set(stream.getvalue()) & set(HOSTILE[1:3] + "\x1b\u202e\u2028\x85\0\ud800") - {"\n"}
