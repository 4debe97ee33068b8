"""Service addresses, such as ``file:///data/x.zip`` or ``weaviates://host?timeout=10``.

One `Registry` per service lists its schemes. Each scheme names the factory that opens it, which is imported
only when needed, and the options that an address may carry. A test compares `docs/settings.md` with these
tables.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from gallery.errors import Invalid
from gallery.installation import install_command

Service = TypeVar("Service")


@dataclass(frozen=True)
class Option:
    """One option of an address: ``?name=value``.

    With `limits` the value is a whole number in that range; with `choices` it is one of them; with `form` it
    matches a pattern, which the second text describes; otherwise any text. `default` None leaves the decision
    to the service.
    """

    name: str
    description: str
    default: int | str | None = None
    limits: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    form: tuple[str, str] | None = None

    def read(self, value: str) -> int | str:
        """Return the value as a number or text. Raises Invalid, with the accepted values in the message."""
        if self.limits is not None:
            least, most = self.limits
            if value.isascii() and value.isdecimal() and least <= int(value[:19]) <= most:
                return int(value)
            raise Invalid(f"{self.name} must be a whole number from {least} to {most}, not {value!r}")
        if self.choices and value not in self.choices:
            raise Invalid(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}")
        if not value:
            raise Invalid(f"{self.name} is empty")
        if self.form and not re.fullmatch(self.form[0], value):
            raise Invalid(f"{self.name} must be {self.form[1]}, not {value!r}")
        return value


@dataclass(frozen=True)
class Scheme:
    """One kind of address.

    `factory` is "module:function"; `extra` is the extra of this package that installs what the factory
    imports; `location` is the pattern of what is between scheme and options.
    """

    factory: str
    example: str
    options: tuple[Option, ...] = ()
    extra: str = ""
    location: str = ".*"


@dataclass(frozen=True)
class Address:
    """A parsed address: ``scheme://location?options``.

    `options` has a value for every option of the scheme, None for those without a default.
    """

    text: str
    scheme: str
    location: str
    options: Mapping[str, int | str | None]
    given: frozenset[str] = frozenset()
    """Names of the options that the address itself sets."""

    def integer(self, name: str) -> int | None:
        """Return the option as a number; None if it is not set and has no default."""
        value = self.options[name]
        return None if value is None else int(value)

    def string(self, name: str) -> str | None:
        """Return the option as text; None if it is not set and has no default."""
        value = self.options[name]
        return None if value is None else str(value)

    @property
    def path(self) -> Path:
        """The location as an absolute local path. Raises Invalid for the home of an unknown user."""
        try:
            return Path(self.location).expanduser().absolute()
        except RuntimeError as error:
            raise Invalid(f"{self.text}: {error}") from error


@dataclass(frozen=True)
class Registry(Generic[Service]):
    """The schemes of one service, and the setting that holds its address."""

    service: str
    setting: str
    schemes: Mapping[str, Scheme] = field(default_factory=dict)

    def parse(self, text: str) -> Address:
        """Return the parsed address, with everything checked and defaults filled in. Raises Invalid.

        Error messages leave out users, passwords and the values of unknown options: each may be a secret.
        """
        if "://" not in text:
            raise Invalid(f"{text[:80]!r} is not an address; write scheme://..., such as file:///path")
        parts = urlsplit(text)
        scheme = parts.scheme.lower()
        if "@" in parts.netloc:
            raise Invalid(
                f"{scheme}://...@...: remove the user and password; addresses appear in logs and pages, "
                "and each service has its own setting for credentials"
            )
        if parts.fragment:
            raise Invalid(f"{scheme}://{parts.netloc}{parts.path}: write # as %23 in an address")
        if scheme not in self.schemes:
            known = ", ".join(f"{name}://" for name in self.schemes)
            raise Invalid(f"{scheme}:// is not a {self.service}; {self.setting} takes {known}")
        location = unquote(parts.netloc + parts.path)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        options = self._options(scheme, location, given)
        if not re.fullmatch(self.schemes[scheme].location, location, re.DOTALL):
            raise Invalid(f"the address is not valid; write it like {self.schemes[scheme].example}")
        return Address(text, scheme, location, options, frozenset(given))

    def open(self, text: str, **arguments: Any) -> Service:
        """Return the service at the address; `arguments` go to its factory. Raises Invalid, or its errors."""
        address = self.parse(text)
        scheme = self.schemes[address.scheme]
        module, factory = scheme.factory.split(":")
        try:
            adapter = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not scheme.extra or (error.name or "").partition(".")[0] == "gallery":
                raise
            raise Invalid(
                f"{text} needs {error.name}, which is not installed; run {install_command(scheme.extra)}"
            ) from error
        opened: Service = getattr(adapter, factory)(address, **arguments)
        return opened

    def _options(self, scheme: str, location: str, given: Mapping[str, str]) -> dict[str, int | str | None]:
        known = {option.name: option for option in self.schemes[scheme].options}
        for name in given:
            if name not in known:
                choice = ", ".join(known) or "none"
                raise Invalid(
                    f"{scheme}://{location}: unknown option {name!r}; options of {scheme}://: {choice}"
                )
        try:
            return {
                name: option.read(given[name]) if name in given else option.default
                for name, option in known.items()
            }
        except Invalid as error:
            raise Invalid(f"{scheme}://{location}: {error}") from None
