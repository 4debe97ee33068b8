"""The heavy libraries behind encoders: whether they are installed, and reading a model with them in silence."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import Invalid

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Read when torch is loaded, which is later. Its threads wait for each other by spinning, for far longer than a turn
# takes; where something else wants the processor too, they mostly wait. Measured on two cores, pictures a second by
# the offline encoder: 31 spinning and 30 with this on idle cores, 2 to 8 spinning and 14 with this on busy ones.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")


def require(*modules: str) -> None:
    """Raises Invalid, with what to install, unless all modules can be imported; imports none of them."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise Invalid(
            f"This encoder needs {', '.join(missing)}, not installed here: pip install 'artwork-gallery[encoders]'."
        )


def read_sentence_transformer(folder: Path) -> SentenceTransformer:
    """The model in a folder, in float32, on the GPU where there is one. Raises Invalid when it cannot be read."""
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
