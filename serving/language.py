"""The languages of the pages: which there are, which one an answer is in, and how numbers are written in it.

A language is there once its catalogue lies in translations/, compiled. The sources are in British English.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from babel import Locale, negotiate_locale
from babel.lists import format_list
from babel.numbers import format_decimal
from flask import Flask, current_app, has_request_context, request, url_for
from flask_babel import Babel, get_locale, gettext
from werkzeug.wrappers import Response

FOLDER = Path(__file__).with_name("translations")
EXTENSION = "gallery-languages"
PARAMETER = "lang"
"""The parameter of an address that says which language its page is in; without it the browser's wishes count."""
KEEPING = frozenset(
    {"search.page", "search.submit", "works.work", "artists.index", "artists.artist", "map.page", "pieces.card", "reference.page"}
)  # fmt: skip
"""Endpoints whose links keep a language that the address names."""
TEXTS = ("text/html", "application/problem+json")


@dataclass(frozen=True)
class Language:
    """One language: `code` is what stands in addresses and markup, such as "de" or "pt-BR"."""

    code: str
    locale: Locale

    @property
    def name(self) -> str:
        """What it is called by those who speak it."""
        name = Locale(self.locale.language, script=self.locale.script).get_display_name() or self.code
        return name[:1].upper() + name[1:]

    @property
    def direction(self) -> str:
        """Which way it is written: "ltr" or "rtl"."""
        return self.locale.text_direction


SOURCE = Language("en", Locale("en", "GB"))


@dataclass(frozen=True)
class Languages:
    """The languages that one app has, and the addresses below which it speaks the sources' alone."""

    known: tuple[Language, ...]
    untranslated: str

    def named(self, code: str) -> Language | None:
        """The language of that code, in any case; None where there is none."""
        return next((one for one in self.known if one.code.lower() == code.lower()), None)


@dataclass(frozen=True)
class Way:
    """A way to this page in one of its languages."""

    language: Language
    href: str
    current: bool


def marked(text: str) -> str:
    """The text itself, which is translated where it is used; extraction finds it by this call."""
    return text


def register(app: Flask, *, untranslated: str) -> None:
    """Give each answer the language that its visitor reads, but for the addresses that begin with `untranslated`."""
    app.extensions[EXTENSION] = Languages((SOURCE, *_translated()), untranslated)
    Babel(
        app,
        default_locale=str(SOURCE.locale),
        locale_selector=_selected,
        default_translation_directories=str(FOLDER),
    )
    app.url_defaults(_keep)
    app.after_request(_say)


def language() -> Language:
    """The language of this answer: the one the address names, else the first the browser asks for that is known."""
    known = _languages()
    if _is_untranslated():
        return SOURCE
    if asked := named():
        return asked
    wanted = [tag for tag, quality in request.accept_languages if quality > 0]
    found = negotiate_locale(wanted, [one.code for one in known.known], sep="-")
    return (found and known.named(found)) or SOURCE


def named() -> Language | None:
    """The language that the address names; None where it names none that is known."""
    return _languages().named(request.args.get(PARAMETER, ""))


def ways() -> tuple[Way, ...]:
    """This page in each language, or the first page where this one has no address of its own."""
    own = request.endpoint in KEEPING and request.method == "GET"
    endpoint, values = (request.endpoint or "", request.view_args or {}) if own else ("search.page", {})
    address = url_for(endpoint, **values, **{PARAMETER: None})
    # Never through url_for, which takes some names to mean something else.
    asked = [pair for pair in request.args.items(multi=True) if pair[0] != PARAMETER] if own else []
    current = language()
    return tuple(
        Way(one, f"{address}?{urlencode([*asked, (PARAMETER, one.code)])}", one == current)
        for one in _languages().known
    )


def words_hint(encoder: str) -> str:
    """What to say of the languages that the encoder at this address understands; "" for who reads English anyway."""
    first = next((tag for tag, quality in request.accept_languages if quality > 0), SOURCE.code)
    if language() == SOURCE and first.lower().partition("-")[0] in (SOURCE.code, "*"):
        return ""
    if encoder == "offline":
        return gettext("The search understands English words only.")
    if "multilingual" in encoder.lower():
        return gettext("The search understands words in many languages.")
    return gettext("The search understands English words best.")


def number(value: float, places: int | None = None) -> str:
    """The number as this language writes it: "1,234.5", "1.234,5"; with so many decimal places, or those it has."""
    shape = None if places is None else "#,##0" + "." * (places > 0) + "0" * places
    return format_decimal(value, shape, locale=_locale())


def any_of(items: Sequence[str]) -> str:
    """The items as alternatives: "a, b or c"."""
    return format_list(items, "or", locale=_locale())


def all_of(items: Sequence[str]) -> str:
    """The items together: "a, b and c"."""
    return format_list(items, "standard", locale=_locale())


def _translated() -> list[Language]:
    folders = sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/messages.mo"))
    return [Language(folder.replace("_", "-"), Locale.parse(folder)) for folder in folders]


def _languages() -> Languages:
    found: Languages = current_app.extensions[EXTENSION]
    return found


def _locale() -> Locale:
    return get_locale() or SOURCE.locale


def _selected() -> str | None:
    return str(language().locale) if has_request_context() else None


def _is_untranslated() -> bool:
    prefix = _languages().untranslated
    return request.path.startswith(prefix) and request.path != prefix


def _keep(endpoint: str, values: dict[str, object]) -> None:
    if endpoint in KEEPING and has_request_context() and (asked := named()):
        values.setdefault(PARAMETER, asked.code)


def _say(response: Response) -> Response:
    if response.mimetype in TEXTS and not _is_untranslated():
        response.headers["Content-Language"] = language().code
        response.vary.add("Accept-Language")
    return response
