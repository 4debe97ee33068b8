"""What an asset's outcome depends on besides its code and its upstreams, so that the UI's staleness marks tell the truth.

Dagster calls an asset stale when its code version has changed. The settings that an asset reads are part of it here:
with another sample size `sample` is marked, and what comes after it, and nothing else.
"""

from collections.abc import Callable

import dagster as dg

from gallery.images import derivatives
from gallery.settings import Settings
from gallery.vectors import lexical
from pipelines.defs.evaluation import augment as augment
from pipelines.defs.evaluation import metrics as evaluation

READ: dict[str, tuple[str, ...]] = {
    "raw_dataset": ("dataset",),
    "scanned_files": ("max_file", "max_pixels"),
    "sample": ("per_artist", "sample_key"),
    "images": ("thumb_small", "thumb_large", "images"),
    "embeddings": ("encoder", "thumb_large"),
    "candidate": ("vectors",),
    "evaluation": ("tolerance",),
}
"""Asset -> settings that another outcome follows from."""
MADE_BY: dict[str, dict[str, int]] = {
    "images": {"thumbnails": derivatives.VERSION},
    "candidate": {"words": lexical.VERSION},
    "evaluation": {"figures": evaluation.VERSION, "altered": augment.VERSION},
}
"""Asset -> versions of what it uses of the library."""
KINDS = {
    "lance": "lancedb",
    "weaviate": "weaviate",
    "weaviates": "weaviate",
    "qdrant": "qdrant",
    "qdrants": "qdrant",
}
"""Scheme of the vector store -> the kind that the UI has an icon for."""


def as_configured(settings: Settings) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Gives an asset what the settings decide of it: its code version, and the kind of store it lives in."""

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        values = {field: getattr(settings, field) for field in READ.get(name, ())} | MADE_BY.get(name, {})
        version = " ".join([spec.code_version or "", *(f"{what}={value}" for what, value in values.items())])
        kinds = spec.kinds
        if "vectors" in kinds:
            scheme = settings.vectors.partition(":")[0]
            kinds = (kinds - {"vectors"}) | {KINDS.get(scheme, scheme)}
        return spec.replace_attributes(code_version=version, kinds=kinds)

    return apply
