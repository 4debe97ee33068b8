"""The Docker Compose files, checked without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gallery.settings import Settings, variable

INFRA = Path(__file__).parents[2] / "infra"
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
