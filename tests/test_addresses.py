"""Addresses: taken apart, and refused with words that help and give nothing away."""

from __future__ import annotations

import pytest

from gallery.addresses import Registry, parse
from gallery.errors import Invalid
from gallery.objects.base import IMAGES
from gallery.vectors.base import VECTORS


@pytest.mark.parametrize("text", ["weaviate://me:hunter2@host:8080", "qdrants://hunter2@host"])
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Invalid, match="no user and no password") as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_scheme_says_which_there_are() -> None:
    with pytest.raises(
        Invalid, match=r"GALLERY_VECTORS takes lance://, weaviate://, weaviates://, qdrant://"
    ):
        VECTORS.check("pinecone://x")


def test_a_missing_extra_says_what_to_install() -> None:
    stores: Registry[object] = Registry(
        "store", "GALLERY_X", {"far": "gallery_far_away:open"}, {"far": "remote"}
    )
    with pytest.raises(
        Invalid, match=r"gallery_far_away, which is not installed; pip install 'artwork-gallery\[remote\]'"
    ):
        stores.open("far://x")


def test_every_extra_that_a_scheme_names_exists() -> None:
    from importlib.metadata import metadata

    extras = set(metadata("artwork-gallery").get_all("Provides-Extra") or [])
    for registry in (VECTORS, IMAGES):
        assert set(registry.extras.values()) <= extras
