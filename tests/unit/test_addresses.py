"""Addresses: parsed, checked, and refused without repeating secrets."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import metadata

import pytest

from gallery.addresses import Option, Registry, Scheme
from gallery.datasets.base import DATASETS
from gallery.errors import Invalid
from gallery.objects.base import IMAGES, TABLES
from gallery.vectors.base import VECTORS

REGISTRIES = (DATASETS, IMAGES, TABLES, VECTORS)


@pytest.mark.parametrize("text", ["weaviate://me:hunter2@host:8080", "qdrants://hunter2@host"])
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Invalid, match="remove the user and password") as caught:
        VECTORS.parse(text)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_scheme_lists_the_known_ones() -> None:
    with pytest.raises(
        Invalid, match=r"GALLERY_VECTORS takes lance://, weaviate://, weaviates://, qdrant://"
    ):
        VECTORS.parse("pinecone://x")


def test_options_are_read_with_their_defaults() -> None:
    options = VECTORS.parse("weaviates://host?timeout=9").options
    assert options == {
        "grpc": "50051", "collection": "Artwork", "quantization": "rq8", "replication": None, "shards": None,
        "consistency": None, "timeout": 9,
    }  # fmt: skip


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: str(registry.service))
def test_every_option_refuses_a_wrong_value_by_name(registry: Registry[object]) -> None:
    for name, scheme in registry.schemes.items():
        with pytest.raises(Invalid, match=r"unknown option 'secret'.*options of"):
            registry.parse(f"{name}://x?secret=hunter2")
        for option in scheme.options:
            wrong = "x" if option.limits or option.choices else ""
            with pytest.raises(Invalid, match=option.name):
                registry.parse(f"{name}://x?{option.name}={wrong}")
            if option.limits:
                with pytest.raises(Invalid, match=option.name):
                    registry.parse(f"{name}://x?{option.name}={option.limits[1] + 1}")


@pytest.mark.parametrize("text", ["1e3", "-1", "\u0663", "1" * 50, "0x10", " 5", "5.0"])
def test_a_number_is_decimal_digits_within_its_limits(text: str) -> None:
    with pytest.raises(Invalid, match="whole number from 1 to 600"):
        Option("timeout", "", 5, (1, 600)).read(text)


NOWHERE = {
    "kaggle": ("", "owner", "o/n/m", "o:key/n"), "file": ("",), "lance": ("",),
    "gs": ("", "/p", "UPPER", "abc/a//b", "abc/ä"),
    "weaviate": ("", "/", "host/path"), "qdrant": ("", "/", "host/path"), "sample": (), "memory": (),
}  # fmt: skip


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: str(registry.service))
def test_an_address_without_a_place_is_refused_before_it_is_opened(
    registry: Registry[object],
) -> None:
    for name, scheme in registry.schemes.items():
        assert registry.parse(scheme.example.partition(",")[0].partition(" ")[0])
        for location in NOWHERE[name if name in NOWHERE else name.removesuffix("s")]:
            with pytest.raises(Invalid, match=f"write it like {name}://"):
                registry.parse(f"{name}://{location}")


def test_a_missing_extra_names_what_to_install() -> None:
    stores: Registry[object] = Registry(
        "store", "GALLERY_X", {"far": Scheme("gallery_far_away:open", "far://x", extra="remote")}
    )
    with pytest.raises(
        Invalid,
        match=r"gallery_far_away, which is not installed; run .* install .*\[remote\]",
    ):
        stores.open("far://x")


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: str(registry.service))
def test_every_scheme_names_a_factory_and_an_extra_that_exist(registry: Registry[object]) -> None:
    extras = set(metadata("artwork-gallery").get_all("Provides-Extra") or [])
    for scheme in registry.schemes.values():
        module, factory = scheme.factory.split(":")
        assert callable(getattr(import_module(module), factory))
        assert not scheme.extra or scheme.extra in extras
