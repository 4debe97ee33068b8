"""The JSON API below /api/v1, the OpenAPI document that describes it, and a page to read that on."""

from __future__ import annotations

from serving.api.routes import register
from serving.api.routing import PREFIX

__all__ = ["PREFIX", "register"]
