"""A refresh killed at any moment leaves the live build complete, and the next refresh completes."""

from __future__ import annotations

import pytest

from tests.chaos.drills import kill_refresh, problems, random_kills
from tests.fakes.archives import picture
from tests.fakes.gallery import FILES, Gallery


@pytest.mark.parametrize(
    ("stage", "delay_s"),
    [
        ("images", 0.03),
        ("candidate", 0.15),
        ("published_collection", 0.0),
    ],
)
def test_the_live_build_stays_complete_and_the_next_refresh_completes(
    built_gallery: Gallery, stage: str, delay_s: float
) -> None:
    gallery, before = built_gallery, built_gallery.live
    for name in ("Anna_A/Anna_A_0.jpg", "Bea_B/Bea_B_1.jpg"):
        gallery.path(name).write_bytes(picture(len(name) + 600))
    gallery.path("Anna_A/added.jpg").write_bytes(picture(500))
    code = kill_refresh(gallery, stage, delay_s=delay_s)

    live = gallery.services.vectors.live()
    assert live is not None and problems(gallery.services) == []
    if code:
        assert live.name == before or stage == "published_collection"

    counts = gallery.refresh()
    assert counts["indexed"] == 9 and gallery.live_files() == {*FILES, "Anna_A/added.jpg"}
    live = gallery.services.vectors.live()
    assert live is not None and live.name == counts["build"] != before
    assert all(build.ready for build in gallery.services.vectors.builds())


def test_a_first_refresh_that_is_killed_publishes_nothing(gallery: Gallery) -> None:
    kill_refresh(gallery, "candidate")
    assert gallery.services.vectors.live() is None
    assert gallery.refresh()["indexed"] == 8


def test_kills_at_random_moments_lose_nothing(built_gallery: Gallery) -> None:
    assert len(list(random_kills(built_gallery, kills=2, seed=11))) == 2
