"""The painted sample collection: invented painters and their pictures, laid out as the Kaggle archive is."""

from __future__ import annotations

from gallery.datasets.painter.collection import Faults, faults_in, paint_archive

__all__ = ["PAINTER_VERSION", "Faults", "faults_in", "paint_archive"]

PAINTER_VERSION = 2  # one more whenever the same parameters would paint something else
