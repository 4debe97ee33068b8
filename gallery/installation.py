"""The command that adds an extra to this installation, however it was installed."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PACKAGE = "artwork-gallery"


def install_command(extras: str) -> str:
    """Return the command that installs these extras, such as "web,encoders", from where the package is from.

    Names the package only if it came from an index: elsewhere it may be missing, or be another package.
    """
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        record, installer = None, None
    else:
        record, installer = installed.read_text("direct_url.json"), installed.read_text("INSTALLER")
    python = shlex.quote(sys.executable)
    # uv also installs into environments with pip, which may lack the command uv.
    is_uv = (installer or "").strip() == "uv" and importlib.util.find_spec("pip") is None
    command = f"uv pip install --python {python}" if is_uv else f"{python} -m pip install"
    return f"{command} {requirement(extras, json.loads(record) if record else {})}"


def requirement(extras: str, origin: dict[str, Any]) -> str:
    """Return the arguments of the command. `origin` is the content of direct_url.json (PEP 610), or empty."""
    url = str(origin.get("url", ""))
    if "dir_info" in origin:
        folder = unquote(urlsplit(url).path)
        constraints = Path(folder) / "constraints.txt"
        options = ["-c", str(constraints)] if constraints.is_file() else []
        options += ["-e"] if origin["dir_info"].get("editable") else []
        return shlex.join([*options, f"{folder}[{extras}]"])
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    return shlex.quote(f"{PACKAGE}[{extras}]" + (f" @ {url}" if url else ""))
