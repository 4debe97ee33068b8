"""Collections, aliases and objects in memory, with the server's defaults and errors."""

from __future__ import annotations

import json
import re
import threading
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

HNSW: dict[str, Any] = {
    "skip": False, "cleanupIntervalSeconds": 300, "maxConnections": 32, "efConstruction": 128, "ef": -1,
    "dynamicEfMin": 100, "dynamicEfMax": 500, "dynamicEfFactor": 8, "vectorCacheMaxObjects": 10**12,
    "flatSearchCutoff": 40_000, "distance": "cosine", "filterStrategy": "acorn",
    "pq": {"enabled": False}, "bq": {"enabled": False}, "sq": {"enabled": False}, "rq": {"enabled": False},
    "multivector": {"enabled": False, "aggregation": "maxSim"},
}  # fmt: skip
SHARDING = {
    "virtualPerPhysical": 128, "desiredCount": 1, "actualCount": 1, "desiredVirtualCount": 128,
    "actualVirtualCount": 128, "key": "_id", "strategy": "hash", "function": "murmur3",
}  # fmt: skip
INVERTED = {
    "bm25": {"b": 0.75, "k1": 1.2},
    "cleanupIntervalSeconds": 60,
    "stopwords": {"preset": "en", "additions": None, "removals": None},
}


class Refused(Exception):
    """An error response of the server, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Stored:
    """One object: its id, properties and vector."""

    uuid: str
    properties: dict[str, Any]
    vector: np.ndarray


def capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def tokens(text: str, tokenization: str | None) -> list[str]:
    if tokenization == "field":
        return [text.strip()]
    return re.findall(r"[^\W_]+", text.lower())


class Collection:
    """The objects of one class."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.objects: dict[str, Stored] = {}
        self.types = {one["name"]: one["dataType"][0] for one in config["properties"]}
        self.tokenization = {one["name"]: one.get("tokenization") for one in config["properties"]}
        self.filterable = {one["name"] for one in config["properties"] if one["indexFilterable"]}
        self.searchable = {one["name"] for one in config["properties"] if one["indexSearchable"]}
        self._sorted: tuple[list[Stored], np.ndarray, np.ndarray] | None = None
        self._dim: int | None = None

    def put(self, id: str, properties: dict[str, Any], vector: np.ndarray) -> None:
        """Store the object, in place of one of that id."""
        try:
            id = str(uuid.UUID(id))
        except ValueError:
            raise Refused(422, f"invalid UUID {id!r}") from None
        if not len(vector) or not np.isfinite(vector).all():
            raise Refused(422, "vector is empty or holds NaN or Inf")
        self._dim = self._dim or len(vector)
        if len(vector) != self._dim:
            raise Refused(422, f"vector lengths don't match: {self._dim} vs {len(vector)}")
        for name in properties:
            self.known(name)
        self.objects[id] = Stored(id, properties, vector)
        self._sorted = None

    def remove(self, id: str) -> None:
        del self.objects[id]
        self._sorted = None

    def known(self, name: str) -> str:
        """The property's name. Refused where there is none."""
        if name not in self.types:
            raise Refused(422, f"no such prop with name '{name}' found in class '{self.config['class']}'")
        return name

    def uuids(self) -> np.ndarray:
        """Return all uuids in order."""
        self.by_uuid()
        assert self._sorted is not None
        return self._sorted[2]

    def by_uuid(self) -> tuple[list[Stored], np.ndarray]:
        """Return all objects in order of uuid, and their vectors, scaled to unit length."""
        if self._sorted is None:
            ordered = [self.objects[id] for id in sorted(self.objects)]
            rows = np.stack([one.vector for one in ordered]) if ordered else np.zeros((0, self._dim or 1))
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            self._sorted = ordered, rows, np.array([one.uuid for one in ordered], dtype="U36")
        return self._sorted[0], self._sorted[1]


class Data:
    """The collections and aliases of one server."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.collections: dict[str, Collection] = {}
        self.aliases: dict[str, str] = {}

    def resolve(self, name: str) -> Collection:
        """Return the collection of that name or alias."""
        name = capital(name)
        try:
            return self.collections[self.aliases.get(name, name)]
        except KeyError:
            raise Refused(404, f"could not find class {name} in schema") from None

    def create(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Create a collection; return its configuration with the server's defaults."""
        config: dict[str, Any] = json.loads(json.dumps(sent))
        name = config["class"] = capital(config["class"])
        if not re.fullmatch(r"[A-Z][_0-9A-Za-z]{0,254}", name):
            raise Refused(422, f"'{name}' is not a valid class name")
        self._free(name)
        for one in config.setdefault("properties", []):
            text = one["dataType"][0].startswith("text")
            one.setdefault("indexFilterable", True)
            one.setdefault("indexSearchable", text)
            one.setdefault("indexRangeFilters", False)
            if text:
                one.setdefault("tokenization", "word")
        for vector in config["vectorConfig"].values():
            vector.setdefault("vectorIndexType", "hnsw")
            vector["vectorIndexConfig"] = _with_defaults(vector.get("vectorIndexConfig") or {}, HNSW)
        config["invertedIndexConfig"] = _with_defaults(config.get("invertedIndexConfig") or {}, INVERTED)
        config["replicationConfig"] = {
            "factor": 1,
            "deletionStrategy": "NoAutomatedResolution",
            **(config.get("replicationConfig") or {}),
        }
        config["multiTenancyConfig"] = {"enabled": False}
        config["shardingConfig"] = {**SHARDING, **(config.get("shardingConfig") or {})}
        self.collections[name] = Collection(config)
        return config

    def update(self, name: str, config: dict[str, Any]) -> None:
        """Change the description, the only field that the fake changes. An alias is not resolved."""
        if capital(name) not in self.collections:
            raise Refused(404, "not found")
        held = self.collections[capital(name)].config
        changed = {key for key in held.keys() | config.keys() if held.get(key) != config.get(key)}
        if changed - {"description"}:
            raise Refused(422, f"the fake changes descriptions only, not {sorted(changed)}")
        held["description"] = config.get("description")

    def create_alias(self, alias: str, target: str) -> None:
        alias, target = capital(alias), capital(target)
        if target not in self.collections:
            raise Refused(422, f"target class {target!r} does not exist")
        self._free(alias)
        self.aliases[alias] = target

    def move_alias(self, alias: str, target: str) -> None:
        if capital(target) not in self.collections:
            raise Refused(422, f"target class {target!r} does not exist")
        self.aliases[capital(alias)] = capital(target)

    def _free(self, name: str) -> None:
        if name.lower() in {taken.lower() for taken in (*self.collections, *self.aliases)}:
            raise Refused(422, f"class name {name} already exists")


def _with_defaults(given: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    joined = dict(defaults)
    for key, value in given.items():
        old = joined.get(key)
        joined[key] = {**old, **value} if isinstance(value, dict) and isinstance(old, dict) else value
    return joined
