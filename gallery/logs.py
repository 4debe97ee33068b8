"""Logging configuration for the command line and the web server; the library itself configures none."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import TextIO


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to the current sys.stderr, which a live progress display replaces while it runs."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        return


def configure(level: str = "WARNING") -> None:
    """Log to stderr: this project from `level` up, other libraries from WARNING up."""
    logging.basicConfig(
        handlers=[_Stderr()], level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Pillow warns about damaged metadata of images that it decodes.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    for name in ("gallery", "pipelines", "serving"):
        logging.getLogger(name).setLevel(level)
