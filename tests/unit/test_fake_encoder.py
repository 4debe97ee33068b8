"""The fake encoder: its options, and vectors that never change."""

from __future__ import annotations

import pytest

from gallery.encoders.opening import open_encoder
from gallery.errors import Invalid
from tests.fakes.drawings import drawn


def test_the_dimension_is_part_of_the_fingerprint() -> None:
    default, small = open_encoder("fake"), open_encoder("fake://?dim=16")
    assert (default.dim, small.dim) == (48, 16)
    assert small.embed_images([drawn(0)]).shape == (1, 16)
    assert default.fingerprint != small.fingerprint


def test_its_rows_do_not_change_between_runs() -> None:
    row = open_encoder("fake://?dim=4").embed_texts(["a ship"])[0]
    assert [round(float(value), 3) for value in row] == [0.276, 0.091, 0.897, -0.332]


@pytest.mark.parametrize(
    "address", ["fake://?dim=1", "fake://?dim=-3", "fake://?dim=x", "fake://?size=4", "fake://h"]
)
def test_wrong_options_are_errors(address: str) -> None:
    with pytest.raises(Invalid, match="dim"):
        open_encoder(address)
