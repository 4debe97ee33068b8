"""docs/production.md, followed from its first to its last command.

What needs root, containers or a cloud is a stand-in that records its arguments; the stores are embedded ones.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

import pytest

from tests.fakes.archives import artists_csv, picture, write_folder
from tests.fakes.processes import free_port, process, wait_for

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
REPOSITORY = ("infra", "constraints.txt", "dagster.yaml", "workspace.yaml")
FOLDERS = ("/opt/gallery", "/etc/systemd/system", "/var/lib/gallery", "/etc/gallery")
"""Paths of the guide that the test moves below its own folder."""
STORES = {
    "kaggle://ikarus777/best-artworks-of-all-time": "file://{root}/archive",
    "gs://my-gallery-images": "file://{root}/images",
    "gs://my-gallery-tables": "file://{root}/tables",
    "weaviates://weaviate.internal:443?grpc=50051&timeout=10": "lance://{root}/vectors",
    "weaviates://weaviate.internal:443?grpc=50051": "lance://{root}/vectors",
    "clip-ViT-B-32": "fake",
}
"""Value in the guide -> value in the test."""
RECORD = '#!/bin/bash\necho "${0##*/}" "$@" >> "$CALLS"\n'
STAND_INS = {
    **dict.fromkeys(["docker", "gcloud", "systemctl", "useradd"], RECORD),
    "git": RECORD + 'mkdir -p "${3%/*}"; cp -r "$CHECKOUT" "$3"\n',  # git clone REPOSITORY FOLDER
    "sudo": '#!/bin/bash\nshift 2; exec "$@"\n',  # sudo -u gallery COMMAND
    "install": '#!/bin/bash\nfor a; do shift; [[ $a == -o || $a == gallery ]] || set -- "$@" "$a"; done\n'
    'exec /usr/bin/install "$@"\n',
    "python3.11": 'mkdir -p "$3/bin"; cp "$INSTALLED"/* "$3/bin"\n',  # python3.11 -m venv FOLDER
}
INSTALLED = {
    "pip": RECORD,
    **dict.fromkeys(["dagster-daemon", "dagster-webserver"], RECORD),
    "gallery": f'#!/bin/bash\nexec {sys.executable} -m gallery "$@"\n',
}


def shell_blocks() -> list[str]:
    """Return the commands of the guide, in order."""
    page = (ROOT / "docs/production.md").read_text("utf-8")
    return re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Followed:
    """The folder in which the guide was followed, its output, and the recorded calls."""

    root: Path
    output: str
    calls: list[list[str]]

    def called(self, command: str) -> list[list[str]]:
        return [arguments for name, *arguments in self.calls if name == command]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    root = tmp_path_factory.mktemp("guide")
    files = {f"Anna_A/Anna_A_{n}.jpg": picture(n) for n in range(5)}
    write_folder(root / "archive", files, artists_csv(["Anna A"]))
    for name in REPOSITORY:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (root / "checkout").mkdir(exist_ok=True)
        copy(ROOT / name, root / "checkout" / name)
    for folder, scripts in (("bin", STAND_INS), ("installed", INSTALLED)):
        (root / folder).mkdir()
        for name, text in scripts.items():
            (root / folder / name).write_text(text)
            (root / folder / name).chmod(0o755)
    script = "\n".join(shell_blocks())
    for path in FOLDERS:
        script = script.replace(path, f"{root}{path}")
    for value, local in STORES.items():
        script = script.replace(f"'{value}'", f"'{local.format(root=root)}'")
    (root / "etc/systemd/system").mkdir(parents=True)
    variables = {
        "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(root / "calls"),
        "CHECKOUT": str(root / "checkout"),
        "INSTALLED": str(root / "installed"),
        "HOME": str(root),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=script,
        env=variables,
        cwd=root / "checkout",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    calls = [shlex.split(line) for line in (root / "calls").read_text().splitlines()]
    return Followed(root, done.stdout, calls)


def test_the_refresh_publishes_and_leaves_a_history(followed: Followed) -> None:
    first, _, web = followed.output.partition("indexed            5")
    assert re.search(r"collection +not yet", first) and "failed" not in followed.output
    assert re.search(r"collection +ok", web)
    assert (followed.root / "var/lib/gallery/dagster/history/runs.db").exists()


def test_the_named_extras_files_and_settings_exist(followed: Followed) -> None:
    extras = set(metadata("artwork-gallery").get_all("Provides-Extra") or [])
    for _, _, constraints, package in followed.called("pip"):
        assert Path(constraints).is_file()
        assert set(package.partition("[")[2].removesuffix("]").split(",")) <= extras
    (compose,) = followed.called("docker")
    for option in ("--env-file", "-f"):
        assert (followed.root / "checkout" / compose[compose.index(option) + 1]).is_file()


def test_the_units_are_valid_and_enabled(followed: Followed) -> None:
    units = followed.root / "etc/systemd/system"
    enabled = {name for verb, _, *names in followed.called("systemctl") if verb == "enable" for name in names}
    assert len(enabled) == 5
    for name in enabled:
        file = re.sub("@.*", "@", name) + ("" if "." in name else ".service")
        assert "[Install]" in (units / file).read_text()
    for unit in sorted(units.iterdir()):
        text = unit.read_text()
        for path in FOLDERS:
            text = text.replace(path, f"{followed.root}{path}")
        unit.write_text(text)
        read(unit)
        if shutil.which("systemd-analyze"):
            command = ["systemd-analyze", "verify", "--recursive-errors=no", str(unit)]
            checked = subprocess.run(command, capture_output=True, text=True)
            assert not checked.returncode and not checked.stderr, checked.stderr


def read(unit: Path) -> configparser.ConfigParser:
    """Return the sections of a unit."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    assert parser["Unit"]["Description"]
    return parser


def test_the_web_service_serves_the_collection(followed: Followed, tmp_path: Path) -> None:
    service = read(ROOT / "infra/systemd/gallery-web@.service")["Service"]
    file = Path(f"{followed.root}{service['EnvironmentFile']}")
    assert file.stat().st_mode & 0o777 == 0o600
    settings = dict(line.split("=", 1) for line in shlex.split(file.read_text(), comments=True))
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "GALLERY_PORT": str(port), **settings}
    command = shlex.split(f"{followed.root}{service['ExecStart']}")
    with process(command, tmp_path / "log", env=environment, cwd=tmp_path):
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "the web app")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status == 200
    except OSError:
        return False
