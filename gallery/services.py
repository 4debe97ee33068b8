"""The services of one process: the dataset, two object stores, the vector store and the encoder."""

from __future__ import annotations

from functools import cached_property

from gallery.datasets.base import DATASETS, Dataset
from gallery.encoders.base import Encoder
from gallery.encoders.opening import open_encoder
from gallery.objects.base import IMAGES, TABLES, ObjectStore
from gallery.settings import Settings
from gallery.vectors.base import VECTORS, VectorStore


class Services:
    """Opens each service from its setting on first access, which raises Invalid or Unavailable.

    With `searching`, the vector store is opened with the read-only key, and the image store fails fast
    because visitors are waiting. Tests replace services by assigning to the attributes.
    """

    def __init__(self, settings: Settings, *, searching: bool = False) -> None:
        self.settings = settings
        self._searching = searching

    @cached_property
    def dataset(self) -> Dataset:
        return DATASETS.open(self.settings.address("dataset"), home=self.settings.home)

    @cached_property
    def images(self) -> ObjectStore:
        return IMAGES.open(self.settings.address("images"), fail_fast=self._searching)

    @cached_property
    def tables(self) -> ObjectStore:
        return TABLES.open(self.settings.address("tables"))

    @cached_property
    def vectors(self) -> VectorStore:
        key = (self._searching and self.settings.vectors_search_key) or self.settings.vectors_key
        api_key = key.get_secret_value() if key else None
        return VECTORS.open(self.settings.address("vectors"), api_key=api_key)

    @cached_property
    def encoder(self) -> Encoder:
        return open_encoder(self.settings.encoder, batch_size=self.settings.batch_size)
