"""Hugging Face models on this disk and on the hub, with the errors of huggingface_hub translated.

Imports neither torch nor transformers. Caches and endpoints are huggingface_hub's own (``HF_HOME``,
``HF_HUB_CACHE``, ``HF_ENDPOINT``, ``HF_HUB_OFFLINE``), and ``SENTENCE_TRANSFORMERS_HOME`` as in
sentence-transformers.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, is_offline_mode, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from gallery.errors import GalleryError, Invalid, Unavailable

HUB_TIMEOUT_S = 2.0
"""Time limit for the hub's first response, including name resolution."""

UNUSED_FILES = ["*.onnx", "*.h5", "*.msgpack", "*.ot", "*.tflite", "onnx/*", "openvino/*", "*.gguf"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A model's files on this disk; `revision` is their commit on the hub."""

    folder: Path
    revision: str


def repository(model: str) -> str:
    """Return the hub's name of a model; ids without an owner belong to sentence-transformers."""
    return model if "/" in model else f"sentence-transformers/{model}"


def cached(repository: str) -> Snapshot | None:
    """Return the model's files in the local cache, or None if they are incomplete."""
    try:
        for name in ("modules.json", "config.json"):
            found = try_to_load_from_cache(repository, name, cache_dir=_cache_folder())
            if isinstance(found, str) and has_weights(Path(found).parent):
                return Snapshot(Path(found).parent, Path(found).parent.name)
    except HFValidationError as exc:
        raise Invalid(f"{repository!r} is neither a folder nor the id of a model: {exc}") from exc
    return None


def has_weights(folder: Path) -> bool:
    """Return whether the folder, or one below it, has weights in a format that PyTorch reads."""
    return any(next(folder.rglob(pattern), None) for pattern in ("*.safetensors", "pytorch_model*.bin"))


def ask(repository: str) -> ModelInfo:
    """Return what the hub knows about a model, within `HUB_TIMEOUT_S` seconds.

    Raises Invalid if the hub has no such model, Unavailable if it cannot be reached.
    """
    if is_offline_mode():
        raise Unavailable("HF_HUB_OFFLINE is set, so the hub is not asked.")
    answers: queue.SimpleQueue[ModelInfo | Exception] = queue.SimpleQueue()

    def put_answer() -> None:
        try:
            answers.put(HfApi().model_info(repository, timeout=HUB_TIMEOUT_S))
        except Exception as exc:  # raised in the waiting thread
            answers.put(exc)

    # In a thread, because the client's timeout does not cover name resolution or a server that sends slowly.
    threading.Thread(target=put_answer, name="ask-hub", daemon=True).start()
    try:
        answer = answers.get(timeout=HUB_TIMEOUT_S)
    except queue.Empty:
        raise Unavailable(f"The hub {HfApi().endpoint} gave no answer in {HUB_TIMEOUT_S:g} s.") from None
    if isinstance(answer, Exception):
        raise _translated(answer, repository) from answer
    return answer


def fetch(repository: str) -> Snapshot:
    """Download the model into the local cache and return its files. Raises as `ask` does."""
    files = [sibling.rfilename for sibling in ask(repository).siblings or []]
    unwanted = list(UNUSED_FILES)
    if any(name.endswith(".safetensors") for name in files):
        unwanted.append("*.bin")  # the same weights again
    log.info("Downloading %s from %s.", repository, HfApi().endpoint)
    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        folder = snapshot_download(repository, cache_dir=_cache_folder(), ignore_patterns=unwanted)
    except Exception as exc:
        raise _translated(exc, repository) from exc
    finally:
        if bars:
            enable_progress_bars()
    return Snapshot(Path(folder), Path(folder).name)


def _translated(exc: Exception, repository: str) -> GalleryError:
    if isinstance(exc, RepositoryNotFoundError | HFValidationError):
        return Invalid(
            f"{repository!r} is neither a folder here nor a model that {HfApi().endpoint} shows to us; "
            "check the name, or set HF_TOKEN if the model is private."
        )
    # Everything else, such as a refused connection or a proxy's web page, means that the hub did not answer.
    first_line = (str(exc).strip() or type(exc).__name__).splitlines()[0]
    return Unavailable(f"The hub {HfApi().endpoint} could not be reached for {repository!r} ({first_line}).")


def _cache_folder() -> str | None:
    return os.environ.get("SENTENCE_TRANSFORMERS_HOME")
