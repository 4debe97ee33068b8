"""The motifs: what can be painted, each a function that draws it on a canvas."""

from __future__ import annotations

from gallery.datasets.painter.motifs.creatures import CREATURES
from gallery.datasets.painter.motifs.fields import FIELDS
from gallery.datasets.painter.motifs.flowers import FLOWERS
from gallery.datasets.painter.motifs.geometry import GEOMETRY
from gallery.datasets.painter.motifs.gestures import GESTURES
from gallery.datasets.painter.motifs.heads import HEADS
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.mountains import MOUNTAINS
from gallery.datasets.painter.motifs.sea import SEA
from gallery.datasets.painter.motifs.skies import SKIES
from gallery.datasets.painter.motifs.tables import TABLES
from gallery.datasets.painter.motifs.towns import TOWNS
from gallery.datasets.painter.motifs.waterside import WATERSIDE

MOTIFS: dict[str, Motif] = {
    **SEA,
    **MOUNTAINS,
    **FIELDS,
    **WATERSIDE,
    **TOWNS,
    **SKIES,
    **CREATURES,
    **FLOWERS,
    **TABLES,
    **HEADS,
    **GEOMETRY,
    **GESTURES,
}
