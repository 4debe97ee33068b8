"""Ports are opened from addresses such as ``file:///data/x.zip`` or ``lance:///var/gallery/vectors``.

One `Registry` a port: which schemes exist, and the module that serves each, imported only when asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from gallery.errors import Invalid

Port = TypeVar("Port")


@dataclass(frozen=True)
class Address:
    """An address taken apart: ``scheme://location?options``."""

    text: str
    scheme: str
    location: str
    options: Mapping[str, str]

    def check_options(self, *known: str) -> None:
        """Raises Invalid for an option that the scheme does not have, rather than ignoring a typing mistake."""
        for name in self.options:
            if name not in known:
                choice = ", ".join(known) or "none"
                raise Invalid(f"{self.text}: unknown option {name!r} (options of {self.scheme}://: {choice})")

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """The option as a whole number from `lowest` to `highest`. Raises Invalid otherwise."""
        given = self.options.get(name)
        if given is None:
            return default
        try:
            number = int(given)
        except ValueError:
            number = lowest - 1
        if not lowest <= number <= highest:
            raise Invalid(
                f"{self.text}: {name} must be a whole number from {lowest} to {highest}, not {given!r}"
            )
        return number

    @property
    def path(self) -> Path:
        """The location as an absolute local path. Raises Invalid where there is none."""
        if not self.location:
            raise Invalid(f"{self.text}: a path is missing; write {self.scheme}:///absolute/path")
        try:
            return Path(self.location).expanduser().absolute()
        except RuntimeError as error:
            raise Invalid(f"{self.text}: {error}") from error


def parse(text: str) -> Address:
    """The address taken apart. Raises Invalid where there is no ``scheme://``."""
    if "://" not in text:
        raise Invalid(f"{text!r} is not an address; write scheme://…, such as file:///path")
    parts = urlsplit(text)
    if "@" in parts.netloc:  # not repeated: what stands before the @ may be a password
        raise Invalid(
            f"{parts.scheme}://…@…: an address holds no user and no password, since addresses are shown in logs and "
            "pages; each service's credentials have settings of their own"
        )
    if parts.fragment:
        raise Invalid(f"{text}: write # as %23 in an address")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Address(text, parts.scheme.lower(), unquote(parts.netloc + parts.path), options)


@dataclass(frozen=True)
class Registry(Generic[Port]):
    """The schemes of one port: scheme -> "module:factory", the factory taking the parsed Address.

    `extras` names the optional dependency that a scheme needs beyond the core, for those that need one.
    """

    port: str
    setting: str
    factories: Mapping[str, str]
    extras: Mapping[str, str] = field(default_factory=dict)

    def check(self, text: str) -> Address:
        """The parsed address, its scheme known. Raises Invalid and says which schemes exist."""
        address = parse(text)
        if address.scheme not in self.factories:
            known = ", ".join(f"{scheme}://" for scheme in self.factories)
            raise Invalid(f"{text}: no such {self.port} ({self.setting} takes {known})")
        return address

    def open(self, text: str, **arguments: Any) -> Port:
        """The port behind the address. Raises Invalid, or what the adapter says of its service."""
        address = self.check(text)
        module, factory = self.factories[address.scheme].split(":")
        try:
            adapter = importlib.import_module(module)
        except ModuleNotFoundError as error:
            extra = self.extras.get(address.scheme)
            if extra is None or (error.name or "").partition(".")[0] == "gallery":
                raise
            raise Invalid(
                f"{text} needs {error.name}, which is not installed; pip install 'artwork-gallery[{extra}]'"
            ) from error
        opened: Port = getattr(adapter, factory)(address, **arguments)
        return opened
