"""Generates docs/settings.md and .env.example from the settings.

Run ``python -m gallery.settings_docs`` in the project's root; a test checks that both files are up to date.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gallery.addresses import Option
from gallery.settings import REGISTRIES, TEST_PREFIX, Settings, variable

SECTIONS = {
    "home": "Stores and models",
    "per_artist": "The pipeline",
    "executor": "Runs",
    "host": "The web app",
}
"""First setting of each section -> its title."""
TEST_VARIABLES = {
    "DATA": "A zip of real paintings in the Kaggle layout.",
    "CLIP": "A folder with CLIP's weights.",
    "GCS": "A Google Cloud Storage bucket; tests write below a prefix and clean up.",
    "WEAVIATE": "The address of a Weaviate server; tests create and drop collections.",
    "WEAVIATE_KEY": "An API key for that server, if it needs one.",
    "QDRANT": "The address of a Qdrant server; tests create and drop collections.",
}
INTRODUCTION = """# Settings

Set environment variables, or lines in a `.env` file in the working folder; the environment wins.
`gallery settings` prints the current values, with secrets masked. If settings are invalid, a command lists
all of them and stops. In addresses, `{home}` stands for `GALLERY_HOME`. Sizes in bytes may have a unit, as in
`10MB`.

`python -m gallery.settings_docs` writes this page.
"""


def markdown() -> str:
    """Return docs/settings.md."""
    return "\n".join((INTRODUCTION, *_settings_tables(), *_address_tables(), *_test_table())) + "\n"


def dotenv() -> str:
    """Return .env.example: every setting with its default, commented out."""
    lines = [
        "# Copy to .env and uncomment what you need; every line shows the default. See docs/settings.md.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            lines += ["", f"# --- {SECTIONS[name]}", ""]
        default = default_of(field.default)
        quoted = shlex.quote(default) if default else ""  # shells read such files too
        lines += [f"# {field.description}", f"#{variable(name)}={quoted}"]
    return "\n".join(lines) + "\n"


def default_of(value: Any) -> str:
    """Return a default as written in a .env file; empty for None."""
    if isinstance(value, SecretStr):  # a default is not a secret
        value = value.get_secret_value()
    return "" if value is None else str(value)


def _settings_tables() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            yield from (f"\n## {SECTIONS[name]}\n", "| Setting | Default | |", "| --- | --- | --- |")
        default = default_of(field.default)
        yield f"| `{variable(name)}` | {f'`{default}`' if default else 'none'} | {field.description} |"


def _address_tables() -> Iterator[str]:
    yield "\n## Addresses and their options\n"
    yield (
        "Add options as `?name=value&name=value`. "
        "`GALLERY_TABLES` takes the same addresses as `GALLERY_IMAGES`."
    )
    for service, registry in REGISTRIES.items():
        if service == "tables":
            continue
        yield from (
            f"\n### {variable(service)}\n",
            "| Address | Option | Default | |",
            "| --- | --- | --- | --- |",
        )
        shown: tuple[Option, ...] = ()
        for scheme in registry.schemes.values():
            same = bool(shown) and scheme.options == shown
            yield f"| `{scheme.example}` | | | {'Same options.' if same else _extra(scheme.extra)} |"
            if same:
                continue
            shown = scheme.options
            for option in scheme.options:
                default = "none" if option.default is None else f"`{option.default}`"
                yield f"| | `{option.name}` | {default} | {option.description}{_values(option)} |"
    yield "\n### GALLERY_ENCODER\n"
    yield (
        "`auto`, `offline`, a sentence-transformers model id such as `clip-ViT-B-32`, "
        "or a folder that contains a model."
    )


def _extra(extra: str) -> str:
    return f"Needs `pip install '.[{extra}]'`." if extra else ""


def _values(option: Option) -> str:
    if option.limits:
        return f" {option.limits[0]} to {option.limits[1]}."
    return f" {', '.join(f'`{choice}`' for choice in option.choices)}." if option.choices else ""


def _test_table() -> Iterator[str]:
    yield "\n## For the tests\n"
    yield "Tests that need one of these skip without it.\n"
    yield from ("| Variable | |", "| --- | --- |")
    for name, description in TEST_VARIABLES.items():
        yield f"| `{TEST_PREFIX}{name}` | {description} |"


if __name__ == "__main__":
    Path("docs/settings.md").write_text(markdown(), "utf-8")
    Path(".env.example").write_text(dotenv(), "utf-8")
