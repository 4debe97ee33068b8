"""Hugging Face models in the local cache and on the hub, with translated errors.

Imports neither torch nor transformers. Uses the settings of huggingface_hub (``HF_HOME``, ``HF_HUB_CACHE``,
``HF_ENDPOINT``, ``HF_HUB_OFFLINE``) and of sentence-transformers (``SENTENCE_TRANSFORMERS_HOME``).
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
"""Time limit for the model's metadata, including name resolution."""

UNUSED_FILE_PATTERNS = ["*.onnx", "*.h5", "*.msgpack", "*.ot", "*.tflite", "onnx/*", "openvino/*", "*.gguf"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A model's files on this disk; `revision` is their commit on the hub."""

    folder: Path
    revision: str


def repository(model: str) -> str:
    """Return the model's repository on the hub; an id without an owner belongs to sentence-transformers."""
    return model if "/" in model else f"sentence-transformers/{model}"


def cached_model(repository: str) -> Snapshot | None:
    """Return the model's files in the local cache, or None if missing or incomplete.

    Raises Invalid if the repository's name is malformed.
    """
    try:
        for name in ("modules.json", "config.json"):
            found = try_to_load_from_cache(repository, name, cache_dir=_cache_folder())
            if isinstance(found, str) and has_weights(Path(found).parent):
                return Snapshot(Path(found).parent, Path(found).parent.name)
    except HFValidationError as exc:
        raise Invalid(f"{repository!r} is neither a folder nor a valid model id: {exc}") from exc
    return None


def has_weights(folder: Path) -> bool:
    """Return whether the folder or a subfolder contains weights in a format that PyTorch reads."""
    return any(next(folder.rglob(pattern), None) for pattern in ("*.safetensors", "pytorch_model*.bin"))


def model_info(repository: str) -> ModelInfo:
    """Return the hub's metadata of a model, within `HUB_TIMEOUT_S` seconds.

    Raises Invalid if the hub has no such model, Unavailable if the hub cannot be reached in time.
    """
    if is_offline_mode():
        raise Unavailable("HF_HUB_OFFLINE is set, so the hub is not contacted.")
    answers: queue.SimpleQueue[ModelInfo | Exception] = queue.SimpleQueue()

    def put_answer() -> None:
        try:
            answers.put(HfApi().model_info(repository, timeout=HUB_TIMEOUT_S))
        except Exception as exc:  # raised below, in the calling thread
            answers.put(exc)

    # In a thread, because the client's timeout does not cover name resolution or a server that sends slowly.
    threading.Thread(target=put_answer, name="hub-model-info", daemon=True).start()
    try:
        answer = answers.get(timeout=HUB_TIMEOUT_S)
    except queue.Empty:
        raise Unavailable(f"The hub {HfApi().endpoint} did not answer within {HUB_TIMEOUT_S:g} s.") from None
    if isinstance(answer, Exception):
        raise _translate(answer, repository) from answer
    return answer


def download_model(repository: str) -> Snapshot:
    """Download the model into the local cache and return its files. Raises as `model_info` does."""
    files = [sibling.rfilename for sibling in model_info(repository).siblings or []]
    unwanted = list(UNUSED_FILE_PATTERNS)
    if any(name.endswith(".safetensors") for name in files):
        unwanted.append("*.bin")  # a second copy of the weights
    log.info("Downloading %s from %s.", repository, HfApi().endpoint)
    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        folder = snapshot_download(repository, cache_dir=_cache_folder(), ignore_patterns=unwanted)
    except GalleryError:  # raised by the time limit of a step, not by the hub
        raise
    except Exception as exc:
        raise _translate(exc, repository) from exc
    finally:
        if bars:
            enable_progress_bars()
    return Snapshot(Path(folder), Path(folder).name)


def _translate(exc: Exception, repository: str) -> GalleryError:
    if isinstance(exc, RepositoryNotFoundError | HFValidationError):
        return Invalid(
            f"{repository!r} is neither a local folder nor a model available on {HfApi().endpoint}; "
            "check the name, or set HF_TOKEN if the model is private."
        )
    # Anything else, such as a refused connection or a proxy's web page, is not an answer from the hub.
    first_line = (str(exc).strip() or type(exc).__name__).splitlines()[0]
    return Unavailable(f"The hub {HfApi().endpoint} could not be reached for {repository!r} ({first_line}).")


def _cache_folder() -> str | None:
    return os.environ.get("SENTENCE_TRANSFORMERS_HOME")
