"""Languages of the pages: available languages, the language of a response, numbers and lists.

A language is available if translations/ has its compiled catalog. The source texts are in British English.
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
"""The parameter that sets a page's language; without it, Accept-Language decides."""
LOCALIZED_ENDPOINTS = frozenset(
    {
        "search.page", "search.submit", "works.work", "artists.index", "artists.artist",
        "map.page", "map_data.card", "reference.page",
    }
)  # fmt: skip
"""Endpoints whose links keep the `lang` parameter."""
TEXT_TYPES = ("text/html", "application/problem+json")


@dataclass(frozen=True)
class Language:
    """A language. `code` is its BCP 47 tag, such as "de" or "pt-BR"."""

    code: str
    locale: Locale

    @property
    def name(self) -> str:
        """Return the language's name for itself, such as "Deutsch"."""
        name = Locale(self.locale.language, script=self.locale.script).get_display_name() or self.code
        return name[:1].upper() + name[1:]

    @property
    def direction(self) -> str:
        """Return the writing direction: "ltr" or "rtl"."""
        return self.locale.text_direction


SOURCE = Language("en", Locale("en", "GB"))


@dataclass(frozen=True)
class Languages:
    """The languages of one app. Paths that begin with `untranslated` use the source language."""

    known: tuple[Language, ...]
    untranslated: str

    def named(self, code: str) -> Language | None:
        """Return the language with that code, ignoring case, or None."""
        return next((one for one in self.known if one.code.lower() == code.lower()), None)


@dataclass(frozen=True)
class Alternate:
    """The address of this page in one language."""

    language: Language
    href: str
    current: bool


def marked(text: str) -> str:
    """Return the text unchanged. Marks it for extraction; call `gettext` where it is used."""
    return text


def register(app: Flask, *, untranslated: str) -> None:
    """Answer in the visitor's language, except at paths that begin with `untranslated`."""
    app.extensions[EXTENSION] = Languages((SOURCE, *_translated()), untranslated)
    Babel(
        app,
        default_locale=str(SOURCE.locale),
        locale_selector=_selected,
        default_translation_directories=str(FOLDER),
    )
    app.url_defaults(_keep_language)
    app.after_request(_set_headers)


def language() -> Language:
    """Return the language of this response: from the address, else the best match of Accept-Language."""
    known = _languages()
    if _is_untranslated():
        return SOURCE
    if chosen := named():
        return chosen
    wanted = [tag for tag, quality in request.accept_languages if quality > 0]
    found = negotiate_locale(wanted, [one.code for one in known.known], sep="-")
    return (found and known.named(found)) or SOURCE


def named() -> Language | None:
    """Return the language in the address, or None if it has none or an unknown one."""
    return _languages().named(request.args.get(PARAMETER, ""))


def alternates() -> tuple[Alternate, ...]:
    """Return this page in each language, or the home page if this one has no address to link to."""
    own = request.endpoint in LOCALIZED_ENDPOINTS and request.method in ("GET", "HEAD")
    endpoint, values = (request.endpoint or "", request.view_args or {}) if own else ("search.page", {})
    address = url_for(endpoint, **values, **{PARAMETER: None})
    # Not with url_for, where some names, such as _anchor, have another meaning.
    asked = [pair for pair in request.args.items(multi=True) if pair[0] != PARAMETER] if own else []
    current = language()
    return tuple(
        Alternate(one, f"{address}?{urlencode([*asked, (PARAMETER, one.code)])}", one == current)
        for one in _languages().known
    )


def words_hint(encoder: str) -> str:
    """Return a hint on the languages that the encoder understands, "" for visitors who read English."""
    first = next((tag for tag, quality in request.accept_languages if quality > 0), SOURCE.code)
    if language() == SOURCE and first.lower().partition("-")[0] in (SOURCE.code, "*"):
        return ""
    if encoder == "offline":
        return gettext("Search works in English only.")
    if "multilingual" in encoder.lower():
        return gettext("Search works in many languages.")
    return gettext("Search works best in English.")


def number(value: float, places: int | None = None) -> str:
    """Return the number in this language's format, such as "1,234.5", rounded to `places` decimal places."""
    shape = None if places is None else "#,##0" + "." * (places > 0) + "0" * places
    return format_decimal(value, shape, locale=_locale())


def any_of(items: Sequence[str]) -> str:
    """Return the items as alternatives: "a, b or c"."""
    return format_list(items, "or", locale=_locale())


def all_of(items: Sequence[str]) -> str:
    """Return the items together: "a, b and c"."""
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


def _keep_language(endpoint: str, values: dict[str, object]) -> None:
    if endpoint in LOCALIZED_ENDPOINTS and has_request_context() and (chosen := named()):
        values.setdefault(PARAMETER, chosen.code)


def _set_headers(response: Response) -> Response:
    if response.mimetype in TEXT_TYPES and not _is_untranslated():
        response.headers["Content-Language"] = language().code
        response.vary.add("Accept-Language")
    return response
