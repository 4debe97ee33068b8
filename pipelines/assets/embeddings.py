"""embeddings: plan -> encode a shard -> reconcile, so that any executor can spread the shards over machines."""

import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd

from gallery.errors import NotFound, Unavailable
from gallery.ports import Ports
from pipelines.assets.pictures import images
from pipelines.assets.reporting import GROUP_COLLECTION, OWNERS
from pipelines.stages.embedding import VectorCache, encode_shard, plan_shards
from pipelines.tables import IMAGES


def usable_images(ports: Ports) -> pd.DataFrame:
    """The rows of `images` that have pictures."""
    frame = IMAGES.read(ports.tables)
    return frame[frame["fault"] == ""]


def cache(ports: Ports) -> VectorCache:
    """The vectors of the configured encoder."""
    return VectorCache(ports.tables, ports.encoder.fingerprint, ports.encoder.dim)


@dg.op(
    ins={"images": dg.In(dg.Nothing)},
    out=dg.DynamicOut(int),
    description="Which pictures have no vector by this encoder yet.",
)
def plan_embeddings(
    context: dg.OpExecutionContext, ports: dg.ResourceParam[Ports]
) -> Iterator[dg.DynamicOutput[int]]:
    """One output a shard, named after the pictures in it; the shards themselves are stored."""
    vectors = cache(ports)
    wanted = list(usable_images(ports)["sha256"])
    shards = plan_shards(wanted, vectors.present(), ports.settings.shard_size)
    vectors.write_plan(shards)
    context.log.info(
        f"{ports.encoder.label}: {sum(map(len, shards.values()))} of {len(wanted)} pictures to encode"
    )
    for name, digests in shards.items():
        yield dg.DynamicOutput(len(digests), mapping_key=name)


@dg.op(description="Encode one shard's pictures and store their vectors as one part.")
def encode_pictures(context: dg.OpExecutionContext, size: int, ports: dg.ResourceParam[Ports]) -> int:
    """How many pictures were encoded. What a part holds already is not encoded again."""
    vectors = cache(ports)
    digests = vectors.read_plan().get(context.get_mapping_key() or "")
    if digests is None:
        raise Unavailable("the plan of this run was replaced by another run's; run `gallery refresh` again")
    settings = ports.settings
    originals = usable_images(ports).drop_duplicates("sha256").set_index("sha256", drop=False).loc[digests]
    ports.encoder.load()  # once a process; not part of the rate below
    started = time.monotonic()
    rows = encode_shard(
        ports.encoder,
        ports.images,
        originals,
        batch_size=settings.batch_size,
        max_pixels=settings.max_pixels,
        workers=settings.workers,
        say=context.log.info,
    )
    vectors.add(digests, rows)
    rate = len(digests) / (time.monotonic() - started)
    context.log.info(f"encoded {len(digests)} pictures, {rate:.1f}/s")
    return size


@dg.op(description="Compare what is stored with what was wanted: a shard that never ran is found here.")
def reconcile_embeddings(ports: dg.ResourceParam[Ports], encoded: list[int]) -> dg.MaterializeResult:
    """Fails naming what is missing. `encoded` is not trusted: re-execution from failure can lose shards of a fan-out."""
    vectors = cache(ports)
    wanted = list(usable_images(ports)["sha256"])
    try:
        rows = vectors.vectors(wanted)
    except NotFound as error:
        raise Unavailable(f"{error}; materialize `embeddings` again, which encodes only those") from error
    planned = {sha256 for digests in vectors.read_plan().values() for sha256 in digests}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "embedded": len(planned & set(wanted)),
            "embeddings_reused": len(set(wanted) - planned),
            "shards": len(encoded),
            "dimensions": ports.encoder.dim,
            "encoder": ports.encoder.label,
            "fingerprint": ports.encoder.fingerprint,
        },
    )


@dg.graph_asset(
    ins={"images": dg.AssetIn(key=images.key, dagster_type=dg.Nothing)},
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"pytorch", "parquet"},
    code_version="1",
    description="One unit float32 row for each sampled work, kept by encoder and content: a re-run encodes only what is new.",
)
def embeddings(images):  # type: ignore[no-untyped-def]
    return reconcile_embeddings(plan_embeddings(images).map(encode_pictures).collect())
