"""What a motif is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from gallery.datasets.painter.canvas import Canvas


class Motif(NamedTuple):
    paint: Callable[[Canvas], None]
    shape: Literal["wide", "tall", "even"]  # of the pictures it is painted on
