"""The motifs: what can be painted, each a function that draws it on a canvas."""

from __future__ import annotations

from gallery.datasets.painter.motifs.cafe import CAFE
from gallery.datasets.painter.motifs.country import COUNTRY
from gallery.datasets.painter.motifs.creatures import CREATURES
from gallery.datasets.painter.motifs.fields import FIELDS
from gallery.datasets.painter.motifs.flowers import FLOWERS
from gallery.datasets.painter.motifs.geometry import GEOMETRY
from gallery.datasets.painter.motifs.gestures import GESTURES
from gallery.datasets.painter.motifs.heads import HEADS
from gallery.datasets.painter.motifs.hill_towns import HILL_TOWNS
from gallery.datasets.painter.motifs.lagoon import LAGOON
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.mountains import MOUNTAINS
from gallery.datasets.painter.motifs.plains import PLAINS
from gallery.datasets.painter.motifs.quays import QUAYS
from gallery.datasets.painter.motifs.ruffs import RUFFS
from gallery.datasets.painter.motifs.sea import SEA
from gallery.datasets.painter.motifs.shore import SHORE
from gallery.datasets.painter.motifs.skies import SKIES
from gallery.datasets.painter.motifs.tables import TABLES
from gallery.datasets.painter.motifs.towns import TOWNS
from gallery.datasets.painter.motifs.waterside import WATERSIDE
from gallery.datasets.painter.motifs.woods import WOODS

MOTIFS: dict[str, Motif] = {
    **CAFE,
    **COUNTRY,
    **CREATURES,
    **FIELDS,
    **FLOWERS,
    **GEOMETRY,
    **GESTURES,
    **HEADS,
    **HILL_TOWNS,
    **LAGOON,
    **MOUNTAINS,
    **PLAINS,
    **QUAYS,
    **RUFFS,
    **SEA,
    **SHORE,
    **SKIES,
    **TABLES,
    **TOWNS,
    **WATERSIDE,
    **WOODS,
}
