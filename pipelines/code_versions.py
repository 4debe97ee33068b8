"""Code versions of the assets, which Dagster compares to decide whether an asset is stale.

An asset's version contains the settings that its result depends on. After a change of the sample size, for
example, only `sample` and the assets after it are stale.
"""

from collections.abc import Callable

import dagster as dg

from gallery.images import derivatives
from gallery.settings import Settings
from gallery.vectors import lexical
from pipelines.defs.evaluation import metrics, queries

SETTINGS: dict[str, tuple[str, ...]] = {
    "raw_dataset": ("dataset",),
    "scanned_files": ("max_file", "max_pixels"),
    "sample": ("per_artist", "sample_key"),
    "images": ("thumb_small", "thumb_large", "images"),
    "embeddings": ("encoder", "thumb_large"),
    "candidate": ("vectors",),
    "evaluation": ("tolerance",),
}
"""Asset -> settings that change its result."""
VERSIONS: dict[str, dict[str, int]] = {
    "scanned_files": {"thumbnails": derivatives.VERSION},
    "images": {"thumbnails": derivatives.VERSION},
    "candidate": {"words": lexical.VERSION},
    "evaluation": {"metrics": metrics.VERSION, "copies": queries.VERSION},
}
"""Asset -> versions of the algorithms that it uses."""
STORE_KIND = "vectors"
"""Placeholder for the kind of the configured vector store."""
KINDS = {
    "lance": "lancedb",
    "weaviate": "weaviate",
    "weaviates": "weaviate",
    "qdrant": "qdrant",
    "qdrants": "qdrant",
}
"""Scheme of a vector store's address -> the kind that Dagster's UI has an icon for."""


def as_configured(settings: Settings) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Return a function that sets an asset's code version and the kind of its vector store."""

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.path[-1]
        values = {field: getattr(settings, field) for field in SETTINGS.get(name, ())} | VERSIONS.get(
            name, {}
        )
        version = " ".join([spec.code_version or "", *(f"{what}={value}" for what, value in values.items())])
        kinds = spec.kinds
        if STORE_KIND in kinds:
            scheme = settings.vectors.partition(":")[0]
            kinds = (kinds - {STORE_KIND}) | {KINDS.get(scheme, scheme)}
        return spec.replace_attributes(code_version=version, kinds=kinds)

    return apply
