"""The archive that the steps of a run read."""

from __future__ import annotations

from gallery.datasets.base import Archive, ProgressCallback, no_progress
from gallery.services import Services
from pipelines.records import DatasetRecord


def fetch_listed(services: Services, progress: ProgressCallback = no_progress) -> Archive:
    """Return the archive whose files `raw_dataset` listed, although a newer version may exist by now.

    Each step may run in another process. A setting that names another dataset since then counts.
    Raises NotFound if `raw_dataset` was never materialized, Corrupted, and the errors of `Dataset.fetch`.
    """
    record, dataset = DatasetRecord.load(services.tables), services.dataset
    return dataset.fetch(progress, record.version if record.address == dataset.address else None)
