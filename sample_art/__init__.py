"""Generator of the sample collection: invented artists and their images, laid out as the Kaggle archive is.

A leaf package: it imports nothing of the project, and only `gallery.datasets.sample` imports it. Importing it
loads neither NumPy nor Pillow; `sample_art.archive` does.
"""

from __future__ import annotations

__all__ = ["GENERATOR_VERSION"]

GENERATOR_VERSION = 4
"""Add one whenever the same parameters would paint something else."""
