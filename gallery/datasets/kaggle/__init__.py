"""Datasets on Kaggle: ``kaggle://owner/name``."""

from gallery.datasets.kaggle.dataset import KaggleDataset, open_kaggle

__all__ = ["KaggleDataset", "open_kaggle"]
