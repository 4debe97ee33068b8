"""A small dataset folder and the collection that is built from it, for tests that refresh."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import dagster as dg

from gallery.search.engine import SearchEngine
from gallery.search.query import SearchQuery, TextTerm
from gallery.services import Services
from gallery.settings import Settings
from pipelines.definitions import build_defs
from pipelines.records import CandidateRecord
from pipelines.reporting import asset_key
from pipelines.runner import StageCallback, StageEvent, run_refresh
from tests.fakes.archives import artists_csv, picture, write_folder

FILES = {
    f"{folder}/{folder}_{n}.jpg": picture(10 * place + n)
    for place, folder in enumerate(["Anna_A", "Bea_B"])
    for n in range(4)
}
ARTISTS = artists_csv(["Anna A", "Bea B", "Nobody Yet"])
BOATS = SearchQuery((TextTerm("boats"),))


class Gallery:
    """A folder with FILES, and everything that a refresh makes of it."""

    def __init__(self, root: Path, settings_with: Callable[..., Settings]) -> None:
        self.root = root / "archive"
        self._settings_with = settings_with
        self.facts: dict[str, dict[str, Any]] = {}
        self.first: dict[str, Any] = {}
        self._instance: dg.DagsterInstance | None = None
        self._exits = ExitStack()
        write_folder(self.root, FILES, ARTISTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's instance for all runs. It is in memory, and making one takes as long as a few steps."""
        if self._instance is None:
            self._instance = self._exits.enter_context(dg.DagsterInstance.ephemeral())
        return self._instance

    def settings(self, *, keep_builds: int = 2, **given: Any) -> Settings:
        """Return settings for the folder. Tests may keep one build, so that each change drops one."""
        settings = self._settings_with(**{"dataset": f"file://{self.root}", **given})
        return settings.model_copy(update={"keep_builds": keep_builds})

    def refresh(
        self,
        watch: StageCallback = lambda _: None,
        *,
        reread: bool = False,
        publish_anyway: bool = False,
        dry_run: bool = False,
        services: Services | None = None,
        **given: Any,
    ) -> dict[str, Any]:
        """Refresh in this process and return the counts. `facts` then has what each stage reported."""
        self.facts = {}

        def callback(event: StageEvent) -> None:
            if event.facts is not None:
                self.facts[event.stage] = event.facts
            watch(event)

        services = services or Services(self.settings(**given))
        options = {"reread": reread, "publish_anyway": publish_anyway, "dry_run": dry_run}
        return run_refresh(services, callback, self.instance, **options)

    def changes(self, stage: str) -> tuple[int, ...]:
        """Return how many rows of the stage were new, changed, removed and unchanged."""
        return tuple(self.facts[stage][name] for name in ("new", "changed", "removed", "unchanged"))

    def materialize(self, *assets: str, **given: Any) -> dg.ExecuteInProcessResult:
        """Materialize these assets alone, in a run of their own."""
        job = build_defs(Services(self.settings(**given))).resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=[asset_key(name) for name in assets],
            instance=self.instance,
            raise_on_error=False,
        )

    def start(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        """Start `gallery refresh` as a process of its own, with its output in pipes."""
        settings = self.settings()
        environment = {
            **os.environ,
            "GALLERY_HOME": str(settings.home),
            "GALLERY_DATASET": settings.dataset,
            "GALLERY_ENCODER": settings.encoder,
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "gallery", "refresh", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.root,
        )

    def path(self, name: str) -> Path:
        """Return the path of a file of the dataset."""
        return self.root / "images" / "images" / name

    @property
    def services(self) -> Services:
        return Services(self.settings())

    @property
    def live(self) -> str:
        """The name of the live build; empty if there is none."""
        build = self.services.vectors.live()
        return build.name if build else ""

    def search(self, query: SearchQuery) -> list[str]:
        """Return the files of the results."""
        engine = SearchEngine(self.services)
        return [hit.artwork.file for hit in engine.search(engine.live_collection(), query).hits]

    def live_files(self) -> set[str]:
        """Return the files of the live works."""
        live = self.services.vectors.live()
        assert live is not None
        return {
            work.file.removeprefix("images/images/")
            for work in self.services.vectors.open(live.name).works(limit=1_000)
        }


LARGER_ARTISTS = ("Anna A", "Bea B", "Cleo C")


class LargerGallery(Gallery):
    """36 images by three artists: enough to tell encoders apart."""

    def __init__(self, root: Path, settings_with: Callable[..., Settings]) -> None:
        super().__init__(root, settings_with)
        files = {
            f"{name.replace(' ', '_')}/{n}_{place}.jpg": picture(100 * place + n)
            for place, name in enumerate(LARGER_ARTISTS)
            for n in range(12)
        }
        self.root = root / "larger"
        write_folder(self.root, files, artists_csv(list(LARGER_ARTISTS)))

    def correct_artists(self) -> None:
        """Change every work's artist, so that the next build is a new one."""
        (self.root / "artists.csv").write_bytes(artists_csv(dict.fromkeys(LARGER_ARTISTS, "1700 - 1750")))

    @property
    def candidate(self) -> str:
        return CandidateRecord.load(self.services.tables).build
