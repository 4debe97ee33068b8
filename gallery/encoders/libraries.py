"""The large libraries behind encoders: checks that they are installed, and reads models without console output."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import Invalid

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Read when torch is loaded, later. By default its threads spin while they wait for each other, which wastes a busy
# processor. Measured on two cores, images per second of the offline encoder: 31 by default and 30 with this setting on
# idle cores, 2 to 8 and 14 on busy ones.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")


def require(*modules: str) -> None:
    """Raise Invalid, with what to install, unless all modules are installed. Imports none of them."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise Invalid(
            f"This encoder needs {', '.join(missing)}, not installed here: pip install 'artwork-gallery[encoders]'."
        )


def read_sentence_transformer(folder: Path) -> SentenceTransformer:
    """Read the model in a folder, in float32, on the GPU if there is one. Raises Invalid if that fails."""
    # Workers fork after the first query, and the tokenizers library warns of that once it has run threads.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), local_files_only=True, model_kwargs={"dtype": torch.float32})
    except Exception as exc:  # torch, tokenizers and safetensors raise a dozen unrelated types, some plain
        raise Invalid(f"The model in {folder} cannot be read: {exc}") from exc
    finally:
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
