"""Health checks: liveness and readiness."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from gallery.errors import Corrupted, GalleryError
from serving.context import ready_collection
from serving.errors import NoCollection, Starting

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, Any]:
    """Return 200 while the process responds."""
    return {"ok": True}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, Any], int]:
    """Return 200 if there is a live build and its encoder is loaded, else 503 and the reason."""
    try:
        build = ready_collection().build
    except NoCollection:
        return {"ready": False, "reason": "there is no collection yet"}, 503
    except Starting:
        return {"ready": False, "reason": "the encoder is still loading"}, 503
    except Corrupted:
        return {"ready": False, "reason": "the collection cannot be read; run `gallery refresh`"}, 503
    except GalleryError:
        return {"ready": False, "reason": "the collection or its encoder is unavailable; see the log"}, 503
    return {"ready": True, "build": build.name, "works": build.works}, 200
