"""The large libraries behind the encoders: check that they are installed, and read models quietly."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import Invalid
from gallery.installation import install_command

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Takes effect when torch is imported, later. By default its threads busy-wait for each other, which wastes a
# busy processor. Measured with the offline encoder on two cores, in images per second: on idle cores 31 by
# default and 30 with this setting; on busy cores 2 to 8 by default and 14 with it.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")


def require(*modules: str) -> None:
    """Raise Invalid, with the install command, unless all modules are installed. Imports none of them."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise Invalid(
            f"This encoder needs packages that are not installed ({', '.join(missing)}); "
            f"run {install_command('encoders')}"
        )


def read_sentence_transformer(folder: Path) -> SentenceTransformer:
    """Return the model in a folder, in float32, on the GPU if there is one. Raises Invalid if unreadable."""
    # The tokenizers library warns when a process forks after its threads have run, as web workers may.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), local_files_only=True, model_kwargs={"dtype": torch.float32})
    except (
        Exception
    ) as exc:  # torch, tokenizers and safetensors raise many unrelated types, some bare Exception
        raise Invalid(f"The model in {folder} cannot be read: {exc}") from exc
    finally:
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
