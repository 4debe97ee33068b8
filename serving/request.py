"""The app's request class."""

from __future__ import annotations

import io
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.utils import cached_property


class GalleryRequest(Request):
    """A request that keeps uploads in memory and accepts any bytes in an address."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The parameters of the address. Werkzeug raises for unescaped bytes beyond ASCII that are not UTF-8."""
        text = self.query_string.decode("utf-8", "replace")
        return ImmutableMultiDict(parse_qsl(text, keep_blank_values=True))

    def _get_file_stream(self, *_: object, **__: object) -> io.BytesIO:
        # Werkzeug would write larger uploads to a temporary file.
        return io.BytesIO()
