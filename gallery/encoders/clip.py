"""CLIP-style models, loaded with sentence-transformers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gallery.encoders.base import Vectors
from gallery.encoders.libraries import read_sentence_transformer, require
from gallery.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from gallery.encoders.hub import Snapshot

PREPROCESSING = 1
"""Version of the preprocessing; increase it when an image's input to the model changes."""

DEFAULT_IMAGE_SIDE_PX = 224
"""Input size of models whose configuration does not give one."""


class ClipEncoder:
    """A CLIP-style sentence-transformers model, by hub id or folder.

    The hub is contacted only if the model is not on this disk. A cached revision stays in use until it is
    deleted, so that vectors remain comparable over time.
    """

    best_score = 1.0
    understands_art_terms = True

    def __init__(self, model: str, *, batch_size: int = 32) -> None:
        require("sentence_transformers", "transformers", "torch", "huggingface_hub")
        self._batch_size = batch_size
        self._lock = threading.RLock()
        self._model: SentenceTransformer | None = None
        self._folder = _local_folder(model)
        if self._folder:
            _clip_config(self._folder)
        self.address = str(self._folder or model)
        self.label = f"CLIP ({self._folder.name if self._folder else model})"

    @cached_property
    def fingerprint(self) -> str:
        """ "clip/<model>@<revision>/<preprocessing>"; downloads a model that is not on this disk.

        The revision is the commit on the hub, or, for a folder, the SHA-256 of its configuration and weights.
        """
        if self._folder:
            return f"clip/{self._config['model_type']}@sha256:{_digest(self._folder)[:16]}/{PREPROCESSING}"
        from gallery.encoders import hub

        return f"clip/{hub.repository(self.address)}@{self._snapshot.revision}/{PREPROCESSING}"

    @cached_property
    def dim(self) -> int:
        """The length of a vector, from the model's configuration if possible, else from the loaded model."""
        if self._config["model_type"] == "clip" and self._config["modules"] == 1:
            return int(self._config.get("projection_dim", 512))
        with self._lock:
            self.load()
            assert self._model is not None
            return int(self._model.get_embedding_dimension() or 0)

    @cached_property
    def image_side(self) -> int:
        side = self._config["vision_config"].get("image_size", DEFAULT_IMAGE_SIDE_PX)
        return side if isinstance(side, int) else DEFAULT_IMAGE_SIDE_PX

    def load(self) -> None:
        """Read the weights, downloading them first if necessary.

        Raises Unavailable if the hub cannot be reached, Invalid if the model is damaged or not CLIP-style.
        """
        with self._lock:
            if self._model is not None:
                return
            _ = self._config  # raises Invalid for a text-only model before its weights are read
            model = read_sentence_transformer(self._path)
            if not (model.supports("image") and model.supports("text")):
                raise Invalid(
                    f"{self.address!r} does not embed both images and texts; use a CLIP-style model."
                )
            self._model = model

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return vectors, float32 [n, dim], unit length. Only the central square of an image counts."""
        return self._encode([_central_crop(image) for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return query vectors, float32 [n, dim], unit length. CLIP truncates texts to 77 tokens."""
        # Wrapped in a dict, because sentence-transformers opens a plain string that looks like an image
        # path or URL: https://sbert.net/docs/sentence_transformer/usage/multimodal.html
        return self._encode([{"text": text} for text in texts])

    def as_query(self, rows: Vectors) -> Vectors:
        """Return the vectors unchanged."""
        return rows

    def _encode(self, inputs: list[Any]) -> Vectors:
        if not inputs:
            return np.empty((0, self.dim), dtype=np.float32)
        with self._lock:
            self.load()
            assert self._model is not None
            vectors = self._model.encode(
                inputs, batch_size=self._batch_size, show_progress_bar=False, normalize_embeddings=True
            )
        return np.asarray(vectors, dtype=np.float32)

    @cached_property
    def _snapshot(self) -> Snapshot:
        from gallery.encoders import hub

        repository = hub.repository(self.address)
        try:
            return hub.cached_model(repository) or hub.download_model(repository)
        except Unavailable as exc:
            raise Unavailable(
                f"{exc} The model is not on this disk: make the hub reachable, or set GALLERY_ENCODER to a "
                "folder that contains the model, or to offline."
            ) from exc

    @property
    def _path(self) -> Path:
        return self._folder or self._snapshot.folder

    @cached_property
    def _config(self) -> dict[str, Any]:
        return _clip_config(self._path)


def _central_crop(image: Image.Image) -> Image.Image:
    """Return the image, cropped around its centre to 4:1 if it is longer.

    The processor enlarges the shorter side before it crops, which could take gigabytes for a very long image.
    """
    width, height = image.size
    max_side = 4 * min(width, height)
    if max(width, height) <= max_side:
        return image
    left, top = max(0, (width - max_side) // 2), max(0, (height - max_side) // 2)
    return image.crop((left, top, width - left, height - top))


def _local_folder(model: str) -> Path | None:
    """Return the folder `model` as an absolute path, or None for a hub id. Raises Invalid if missing."""
    path = Path(model).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_absolute() or model.startswith(".") or model.count("/") > 1 or "\\" in model or path.is_file():
        raise Invalid(f"There is no folder {model!r}; use one that contains a CLIP model, or a model's id.")
    return None


def _clip_config(folder: Path) -> dict[str, Any]:
    """Return the configuration in a model's folder, with the number of modules as "modules".

    Raises Invalid if the folder contains no model, or a text-only model.
    """
    try:
        modules = _json(folder / "modules.json") if (folder / "modules.json").exists() else [{"path": ""}]
        config = _json(folder / modules[0]["path"] / "config.json")
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise Invalid(f"{folder} does not contain a readable sentence-transformers model: {exc}") from exc
    if not isinstance(config, dict) or not isinstance(config.get("vision_config"), dict):
        raise Invalid(f"The model in {folder} does not embed images; use a CLIP-style model.")
    return {"model_type": "clip-style", **config, "modules": len(modules)}


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of a model's configuration and weights, in hex."""
    digest = hashlib.sha256()
    kinds = {".json", ".txt", ".safetensors", ".bin"}
    for file in sorted(file for file in folder.rglob("*") if file.suffix in kinds and file.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
