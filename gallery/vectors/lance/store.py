"""Builds as Lance tables in one folder, each with a manifest, and a file that names the live build."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from importlib.metadata import version
from pathlib import Path

import lancedb

from gallery import durable
from gallery.addresses import Address
from gallery.cache import RecentlyUsed
from gallery.errors import Corrupted, Invalid, NotFound, Unavailable
from gallery.models import Build
from gallery.stored_json import parse_json
from gallery.vectors.base import BUILD_NAME, check_name
from gallery.vectors.lance.collection import LanceCollection
from gallery.vectors.lance.table import create_text_index, schema, seal_indexes

LIVE = "LIVE"
MAX_OPEN_BUILDS = 4
"""Builds whose tables stay open: the live one, the one before for requests in progress, a candidate."""

log = logging.getLogger(__name__)


class LanceStore:
    """The builds in one folder; the first build creates the folder."""

    def __init__(self, folder: Path) -> None:
        self.address = f"lance://{folder}"
        self._folder = folder
        self._opened = RecentlyUsed[Build, LanceCollection](MAX_OPEN_BUILDS)

    def version(self) -> str:
        return f"LanceDB {version('lancedb')}"

    def create(self, build: Build) -> LanceCollection:
        check_name(build.name)
        if self._manifest(build.name).exists():
            raise Invalid(f"build {build.name} already exists in {self._folder}")
        build = dataclasses.replace(build, ready=False)
        try:
            durable.remove_leftovers(self._folder)
            self._set_aside_unreadable()
            self._write(self._manifest(build.name), json.dumps(dataclasses.asdict(build), indent=1))
            # An interrupted drop leaves rows without a manifest.
            shutil.rmtree(self._folder / f"{build.name}.lance", ignore_errors=True)
            table = lancedb.connect(self._folder).create_table(
                build.name, schema=schema(build.dim), mode="overwrite"
            )
            create_text_index(table)
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"cannot create build {build.name} in {self._folder} ({error})") from error
        return LanceCollection(self._folder, build)

    def open(self, name: str) -> LanceCollection:
        build = self._read(name)
        return self._opened.get(build, lambda: LanceCollection(self._folder, build))

    def builds(self) -> list[Build]:
        found = []
        for path in self._folder.glob("*.json"):
            try:
                found.append(self._read(path.stem))
            except NotFound:
                continue  # dropped since it was listed, or not the name of a build
            except Corrupted as error:
                log.warning("%s; the other builds are not affected", error)
        return sorted(found, key=lambda build: (build.created_at, build.name), reverse=True)

    def seal(self, name: str) -> Build:
        build = dataclasses.replace(self._read(name), ready=True)
        try:
            seal_indexes(LanceCollection(self._folder, build).table)
            # Lance does not sync its files; a power cut must not leave a ready build without them.
            durable.sync_tree(self._folder / f"{name}.lance")
            durable.sync(self._folder)
        except (OSError, RuntimeError, ValueError) as error:
            raise Unavailable(f"cannot index build {name} in {self._folder} ({error})") from error
        self._write(self._manifest(name), json.dumps(dataclasses.asdict(build), indent=1))
        return build

    def live(self) -> Build | None:
        name = self._live_name()
        if name is None:
            return None
        try:
            return self._read(name)
        except (NotFound, Invalid) as error:
            raise Corrupted(
                f"{self._folder / LIVE} points to build {name!r}, which is gone; "
                "run `gallery refresh` to publish another"
            ) from error

    def publish(self, name: str) -> None:
        if not self._read(name).ready:
            raise Invalid(f"build {name} is not ready, so it cannot be published")
        self._write(self._folder / LIVE, name + "\n")

    def drop(self, name: str) -> None:
        if name == self._live_name():
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        if not BUILD_NAME.fullmatch(name):
            return
        # The manifest first: rows without one are not a build, and an interrupted drop leaves none.
        try:
            self._manifest(name).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"cannot drop build {name} in {self._folder} ({error.strerror})") from error
        shutil.rmtree(self._folder / f"{name}.lance", ignore_errors=True)

    def _set_aside_unreadable(self) -> None:
        """Rename manifests that cannot be read, so that they are not reported by each listing."""
        for path in self._folder.glob("*.json"):
            try:
                self._read(path.stem)
            except NotFound:
                continue
            except Corrupted:
                path.replace(path.with_suffix(".damaged"))
                log.warning("%s cannot be read, so it is now named %s.damaged", path, path.stem)

    def _manifest(self, name: str) -> Path:
        if not BUILD_NAME.fullmatch(name):
            raise NotFound(f"no build {name!r} in {self._folder}")
        return self._folder / f"{name}.json"

    def _live_name(self) -> str | None:
        try:
            return (self._folder / LIVE).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise Corrupted(
                f"{self._folder / LIVE} cannot be read ({error}); run `gallery refresh` to replace it"
            ) from error
        except OSError as error:
            raise Unavailable(f"{self._folder / LIVE} cannot be read ({error})") from error

    def _read(self, name: str) -> Build:
        path = self._manifest(name)
        try:
            return parse_json(Build, path.read_bytes())
        except FileNotFoundError:
            raise NotFound(f"no build {name} in {self._folder}") from None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read ({error})") from error
        except ValueError as error:
            raise Corrupted(
                f"{path} cannot be read ({error}); move it away and run `gallery refresh`"
            ) from error

    def _write(self, path: Path, text: str) -> None:
        try:
            durable.write_file(path, text.encode())
        except OSError as error:
            raise Unavailable(
                f"cannot write {path} ({error.strerror}); check free space and permissions"
            ) from error


def open_lance(address: Address, *, api_key: str | None = None) -> LanceStore:
    """Return the store in the address's folder, which the first build creates. The key is ignored."""
    return LanceStore(address.path)
