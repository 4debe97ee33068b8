"""An object store in a Google Cloud Storage bucket: ``gs://bucket/prefix``."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Importing the client warns about grpcio, which is not used: all calls go over HTTP.
    warnings.filterwarnings("ignore", ".*grpcio")
    from gallery.objects.gcs.store import GcsObjects, open_gcs

__all__ = ["GcsObjects", "open_gcs"]
