"""Requests as this app reads them."""

from __future__ import annotations

import io
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.utils import cached_property


class GalleryRequest(Request):
    """A request that keeps uploads off the disk and takes any bytes in an address."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The parameters of the address. Werkzeug raises where bytes beyond ASCII were not escaped and are not UTF-8."""
        text = self.query_string.decode("utf-8", "replace")
        return ImmutableMultiDict(parse_qsl(text, keep_blank_values=True))

    def _get_file_stream(self, *_: object, **__: object) -> io.BytesIO:
        # Werkzeug would write the larger uploads to a temporary file.
        return io.BytesIO()
