"""The Docker files, checked without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from gallery.settings import Settings, variable

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
COMPOSE = INFRA / "compose.yaml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return services


def test_compose_keeps_to_the_compose_schema() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(COMPOSE),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_named_in_infra_exists() -> None:
    known = {variable(name) for name in Settings.model_fields}
    named = set()
    for path in INFRA.rglob("*"):
        if path.is_file() and path.name != "compose.env":
            named |= set(re.findall(r"\bGALLERY_[A-Z_]+\b", path.read_text("utf-8")))
    assert {"GALLERY_VECTORS", "GALLERY_IMAGES"} < named <= known


def test_every_image_is_pinned(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if "build" not in service:
            assert re.search(r":\d+\.\d+", service["image"]), name


def test_every_port_is_published_to_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 5 and all(port.startswith("127.0.0.1:") for port in ports)


def test_weaviate_requires_a_key(services: dict[str, Any]) -> None:
    environment = services["weaviate"]["environment"]
    assert environment["AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED"] == "false"
    assert environment["AUTHENTICATION_APIKEY_ENABLED"] == "true"
    assert environment["AUTHORIZATION_ADMINLIST_READONLY_USERS"] == "search"


def test_secrets_are_given_from_outside_and_the_web_app_gets_no_loader_key(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"KEYS?$|TOKEN$", name) and name != "KAGGLE_API_TOKEN":
                assert value.startswith("${") and ":?" in value, name
    assert "GALLERY_VECTORS_KEY" not in services["web"]["environment"]
    assert "GALLERY_VECTORS_SEARCH_KEY" not in services["pipeline"]["environment"]


def test_one_process_opens_an_empty_history_and_the_newest_instance_file_counts(
    services: dict[str, Any],
) -> None:
    users = {
        name: one
        for name, one in services.items()
        if any("dagster:" in str(v) for v in one.get("volumes", []))
    }
    first = [name for name, one in users.items() if not users.keys() & one["depends_on"].keys()]
    assert first == ["dagster-webserver"] and len(users) == 3
    for name, one in users.items():
        if name not in first:
            assert one["depends_on"] == {first[0]: {"condition": "service_healthy"}}
        # Over the volume, which keeps what the first image put into it.
        assert "../dagster.yaml:/home/gallery/dagster/dagster.yaml:ro" in one["volumes"]


def test_images_install_dependencies_before_they_copy_the_source() -> None:
    stages = (INFRA / "Dockerfile").read_text("utf-8").split("\nFROM ")[1:]
    assert len(stages) == 3
    for stage in stages[1:]:
        assert (
            0
            < stage.index("install --constraint")
            < stage.index("COPY . .")
            < stage.index("install --no-deps")
        )
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = {line[1:] for line in ignore if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*packages, "pyproject.toml", "constraints.txt", "dagster.yaml", "workspace.yaml"} < copied
    assert "*" in ignore and all((ROOT / name).exists() for name in copied)


def test_the_readme_lists_every_file_and_folder() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    for path in INFRA.iterdir():
        assert path.name in ("README.md", "compose.env") or f"{path.name}{'/' * path.is_dir()}" in readme, (
            path
        )
