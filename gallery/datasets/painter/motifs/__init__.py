"""The motifs: what can be painted, each a function that draws it on a canvas."""

from __future__ import annotations

from gallery.datasets.painter.motifs.fields import FIELDS
from gallery.datasets.painter.motifs.flowers import FLOWERS
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.mountains import MOUNTAINS
from gallery.datasets.painter.motifs.sea import SEA
from gallery.datasets.painter.motifs.skies import SKIES
from gallery.datasets.painter.motifs.tables import TABLES
from gallery.datasets.painter.motifs.towns import TOWNS
from gallery.datasets.painter.motifs.waterside import WATERSIDE

MOTIFS: dict[str, Motif] = {**SEA, **MOUNTAINS, **FIELDS, **WATERSIDE, **TOWNS, **SKIES, **FLOWERS, **TABLES}

from gallery.datasets.painter.lives import _SUBJECTS

for _n in _SUBJECTS: MOTIFS.setdefault(_n, SEA["regatta"])
