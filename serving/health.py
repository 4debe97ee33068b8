"""For whoever watches the process: is it up, and can it answer searches."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from gallery.errors import GalleryError
from serving.errors import NoCollection, Starting
from serving.site import site

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"ok": True}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, Any], int]:
    """200 where there is a live build and its encoder is loaded, else 503 and the reason."""
    try:
        build = site().ready()
    except NoCollection:
        return {"ready": False, "reason": "there is no collection yet"}, 503
    except Starting:
        return {"ready": False, "reason": "the encoder is still being loaded"}, 503
    except GalleryError:
        return {
            "ready": False,
            "reason": "the collection or its encoder is out of reach; the log says why",
        }, 503
    return {"ready": True, "build": build.name, "works": build.works}, 200
