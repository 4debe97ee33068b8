"""Generates the sample collection: invented artists and their images, in the layout of the Kaggle archive.

A leaf package: it imports nothing else of the project, and only `gallery.datasets.sample` imports it.
Importing it loads neither NumPy nor Pillow; `sample_art.archive` does.
"""

from __future__ import annotations

__all__ = ["GENERATOR_VERSION"]

GENERATOR_VERSION = 4
"""Increase it when the same parameters give different images or texts."""
