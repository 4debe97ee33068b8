"""The four ports of one process, each opened from its setting when first used."""

from __future__ import annotations

from functools import cached_property

from gallery.datasets import DATASETS, Dataset
from gallery.encoders import open_encoder
from gallery.encoders.base import Encoder
from gallery.objects import IMAGES, TABLES, ObjectStore
from gallery.settings import Settings
from gallery.vectors import VECTORS, VectorStore


class Ports:
    """The dataset, the stores and the encoder that the settings name. Opening raises Invalid or Unavailable.

    Tests put twins in place by assigning to the attributes.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def dataset(self) -> Dataset:
        return DATASETS.open(self.settings.address("dataset"), home=self.settings.home)

    @cached_property
    def images(self) -> ObjectStore:
        return IMAGES.open(self.settings.address("images"))

    @cached_property
    def tables(self) -> ObjectStore:
        return TABLES.open(self.settings.address("tables"))

    @cached_property
    def vectors(self) -> VectorStore:
        return VECTORS.open(self.settings.address("vectors"))

    @cached_property
    def encoder(self) -> Encoder:
        return open_encoder(self.settings.encoder, batch_size=self.settings.batch_size)
