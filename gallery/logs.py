"""Logging for the doors of the program: the command line and the web server. The library itself configures nothing."""

from __future__ import annotations

import logging
import sys
import warnings


def configure(level: str = "WARNING") -> None:
    """Write this project's log lines to stderr from `level` up, and other libraries' from WARNING up."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # damaged metadata of a picture that decodes
    for name in ("gallery", "pipelines", "serving"):
        logging.getLogger(name).setLevel(level)
