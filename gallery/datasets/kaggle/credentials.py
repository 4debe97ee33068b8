"""Finds Kaggle credentials where Kaggle's own client does. Keeps them out of messages and logs."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from kagglesdk import get_access_token_from_env

from gallery.errors import Invalid

SETUP_HINT = (
    "Create an API token at https://www.kaggle.com/settings (API, Generate New Token) and put it in "
    "KAGGLE_API_TOKEN or ~/.kaggle/access_token. ~/.kaggle/kaggle.json, or KAGGLE_USERNAME and KAGGLE_KEY, "
    "also work"
)


@dataclass(frozen=True)
class Credentials:
    """An access token, or the older pair of user name and key; `source` names the file or variable."""

    source: str
    token: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)


def find_credentials() -> Credentials:
    """Return the credentials that Kaggle's client would use. Raises Invalid if missing or unusable."""
    token, source = _access_token()
    if token:
        return Credentials(source, token=_checked(token, source))
    pair, source = _key_file()
    for name, variable in (("username", "KAGGLE_USERNAME"), ("key", "KAGGLE_KEY")):
        if os.environ.get(variable):
            pair[name], source = os.environ[variable], variable
    if not (pair.get("username") and pair.get("key")):
        raise Invalid(f"no Kaggle credentials found. {SETUP_HINT}")
    return Credentials(source, username=_checked(pair["username"], source), key=_checked(pair["key"], source))


def _access_token() -> tuple[str | None, str]:
    try:
        token, source = get_access_token_from_env()
        return token, source or ""
    except OSError as error:
        named = os.environ.get("KAGGLE_API_TOKEN")
        if named and error.errno == errno.ENAMETOOLONG:
            # The SDK first tests whether the value is a file, and a token may be too long for a file name.
            return named, "KAGGLE_API_TOKEN"
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "not a text file"
    # Raised without the cause, whose message may contain the token as a file name.
    raise Invalid(f"cannot read the Kaggle access token in KAGGLE_API_TOKEN or ~/.kaggle ({reason})")


def _key_file() -> tuple[dict[str, str], str]:
    """Return the text values of kaggle.json, if it exists, and its path."""
    path = _config_folder() / "kaggle.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError
    except (FileNotFoundError, NotADirectoryError):
        return {}, str(path)
    except OSError as error:
        raise Invalid(f"cannot read the Kaggle key in {path} ({error.strerror})") from error
    except ValueError:  # raised without the cause, which quotes the file
        raise Invalid(f"{path} is not a valid kaggle.json. {SETUP_HINT}") from None
    return {name: value for name, value in content.items() if isinstance(value, str)}, str(path)


def _config_folder() -> Path:
    """Return the folder of kaggle.json, found as by KaggleApi.config_dir in Kaggle's client."""
    if named := os.environ.get("KAGGLE_CONFIG_DIR"):
        return Path(named)
    home = Path("~").expanduser()
    if sys.platform.startswith("linux") and not (home / ".kaggle").exists():
        return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    return home / ".kaggle"


def _checked(secret: str, source: str) -> str:
    """Return the secret, stripped. Raises Invalid if no header can hold it: requests would quote it."""
    secret = secret.strip()
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid(f"the Kaggle credentials in {source} contain invalid characters. {SETUP_HINT}")
    return secret
