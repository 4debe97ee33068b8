"""Hugging Face models on this disk and on their hub; the edge where huggingface_hub's errors become ours.

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

ANSWER_S = 2.0
"""How long the hub may take for its first answer, in seconds, name resolution included."""

OTHER_FORMATS = ["*.onnx", "*.h5", "*.msgpack", "*.ot", "*.tflite", "onnx/*", "openvino/*", "*.gguf"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A model's files on this disk; `revision` is the commit on the hub that they come from."""

    folder: Path
    revision: str


def repository(model: str) -> str:
    """The hub's name of a model: ids without an owner are sentence-transformers' own."""
    return model if "/" in model else f"sentence-transformers/{model}"


def cached(repository: str) -> Snapshot | None:
    """The model's files in the local cache, or None where they or its weights are missing."""
    try:
        for name in ("modules.json", "config.json"):
            found = try_to_load_from_cache(repository, name, cache_dir=_cache_folder())
            if isinstance(found, str) and has_weights(Path(found).parent):
                return Snapshot(Path(found).parent, Path(found).parent.name)
    except HFValidationError as exc:
        raise Invalid(f"{repository!r} is neither a folder nor the id of a model: {exc}") from exc
    return None


def has_weights(folder: Path) -> bool:
    """Whether the folder, or one below it, holds weights that PyTorch reads."""
    return any(next(folder.rglob(pattern), None) for pattern in ("*.safetensors", "pytorch_model*.bin"))


def ask(repository: str) -> ModelInfo:
    """The hub's word on a model, in `ANSWER_S` seconds at most.

    Raises Invalid where the hub knows no such model, Unavailable where it cannot be reached.
    """
    if is_offline_mode():
        raise Unavailable("HF_HUB_OFFLINE is set, so the hub is not asked.")
    answers: queue.SimpleQueue[ModelInfo | Exception] = queue.SimpleQueue()

    def put_answer() -> None:
        try:
            answers.put(HfApi().model_info(repository, timeout=ANSWER_S))
        except Exception as exc:  # goes on to the waiting thread, which raises it
            answers.put(exc)

    # A thread, because the client's timeout leaves out name resolution and a server that only trickles.
    threading.Thread(target=put_answer, name="ask-hub", daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        raise Unavailable(f"The hub {HfApi().endpoint} gave no answer in {ANSWER_S:g} s.") from None
    if isinstance(answer, Exception):
        raise _translated(answer, repository) from answer
    return answer


def fetch(repository: str) -> Snapshot:
    """The model's files, downloaded into the local cache. Raises as `ask` does."""
    files = [sibling.rfilename for sibling in ask(repository).siblings or []]
    unwanted = list(OTHER_FORMATS)
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
    # All else, from refused connections to a proxy's web page in place of JSON, means that no hub answered.
    first_line = (str(exc).strip() or type(exc).__name__).splitlines()[0]
    return Unavailable(f"The hub {HfApi().endpoint} could not be reached for {repository!r} ({first_line}).")


def _cache_folder() -> str | None:
    return os.environ.get("SENTENCE_TRANSFORMERS_HOME")
