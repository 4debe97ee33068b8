"""Who we are to Kaggle: found in the places where Kaggle's own client looks, and never shown."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from kagglesdk import get_access_token_from_env

from gallery.errors import Invalid

HOW = (
    "Make an API token at https://www.kaggle.com/settings (API, Generate New Token) and put it in KAGGLE_API_TOKEN "
    "or ~/.kaggle/access_token; a kaggle.json in ~/.kaggle, or KAGGLE_USERNAME and KAGGLE_KEY, will do too"
)


@dataclass(frozen=True)
class Credentials:
    """An access token, or else the older pair of user name and key, and where they were found."""

    source: str
    token: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)


def find_credentials() -> Credentials:
    """The credentials that Kaggle's client would take. Raises Invalid where there are none or they cannot be read."""
    token, source = _access_token()
    if token:
        return Credentials(source, token=_plain(token, source))
    pair, source = _key_file()
    for name, variable in (("username", "KAGGLE_USERNAME"), ("key", "KAGGLE_KEY")):
        if os.environ.get(variable):
            pair[name], source = os.environ[variable], variable
    if not (pair.get("username") and pair.get("key")):
        raise Invalid(f"no Kaggle credentials. {HOW}")
    return Credentials(source, username=_plain(pair["username"], source), key=_plain(pair["key"], source))


def _access_token() -> tuple[str | None, str]:
    try:
        token, source = get_access_token_from_env()
    except OSError as error:
        trouble = error
    except UnicodeDecodeError:
        trouble = None
    else:
        return token, source or ""
    named = os.environ.get("KAGGLE_API_TOKEN")
    if named and trouble and trouble.errno == errno.ENAMETOOLONG:
        return (
            named,
            "KAGGLE_API_TOKEN",
        )  # the client asks whether it names a file, and a token may be too long for one
    # Without the error: in its words the token would stand as a file's name.
    why = trouble.strerror if trouble else "it is no text"
    raise Invalid(f"the Kaggle access token in KAGGLE_API_TOKEN or ~/.kaggle cannot be read ({why})")


def _key_file() -> tuple[dict[str, str], str]:
    """The user name and key of kaggle.json, as far as there are any, and its path."""
    path = _config_folder() / "kaggle.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError
    except (FileNotFoundError, NotADirectoryError):
        return {}, str(path)
    except OSError as error:
        raise Invalid(f"the Kaggle key in {path} cannot be read ({error.strerror})") from error
    except ValueError:  # shown without its cause, which holds the file's text
        raise Invalid(f"{path} is not the kaggle.json that Kaggle gives out. {HOW}") from None
    return {name: value for name, value in content.items() if isinstance(value, str)}, str(path)


def _config_folder() -> Path:
    """Where the client looks for kaggle.json: the same rules as in its KaggleApi.config_dir."""
    if named := os.environ.get("KAGGLE_CONFIG_DIR"):
        return Path(named)
    home = Path("~").expanduser()
    if sys.platform.startswith("linux") and not (home / ".kaggle").exists():
        return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    return home / ".kaggle"


def _plain(secret: str, source: str) -> str:
    """The secret without blanks around it. Raises Invalid for what no header can hold: requests would quote it."""
    secret = secret.strip()
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid(f"the Kaggle credentials in {source} hold characters that none has. {HOW}")
    return secret
