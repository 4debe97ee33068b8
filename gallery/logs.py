"""Logging configuration for the command line and the web server; the library itself configures none."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, TextIO

from gallery.text import printable, printable_lines


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to the current sys.stderr, which a live progress display replaces while it runs."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        return


class OneLineFormatter(logging.Formatter):
    """Escapes line breaks and terminal sequences, which names and paths from outside may contain.

    Lines of a stack trace are indented.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def formatException(self, exc_info: Any) -> str:
        return "  " + printable_lines(super().formatException(exc_info))


def print_unexpected(*exc_info: Any) -> None:
    """Print the stack trace of an error that nothing handled, as a log would have it."""
    print(OneLineFormatter().formatException(exc_info), file=sys.stderr)


def configure(level: str = "WARNING") -> None:
    """Log to stderr: this project from `level` up, other libraries from WARNING up."""
    sys.excepthook = print_unexpected
    handler = _Stderr()
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    # Pillow warns about damaged metadata of images that it decodes.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    for name in ("gallery", "pipelines", "serving"):
        logging.getLogger(name).setLevel(level)
