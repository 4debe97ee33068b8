"""The asset embeddings: plan -> encode a shard -> reconcile, so that any executor can spread the shards."""

import hashlib
import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd

from gallery.errors import NotFound
from gallery.images import derivatives
from gallery.services import Services
from pipelines.defs.embeddings.vectors import VectorCache, encode_shard
from pipelines.defs.images.assets import images
from pipelines.defs.images.inventory import StoredImages
from pipelines.records import record_run
from pipelines.reporting import GROUP_COLLECTION, OWNERS
from pipelines.shards import make_shards
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import IMAGES


def usable_images(services: Services) -> pd.DataFrame:
    """Return the rows of `images` without a fault."""
    frame = IMAGES.read(services.tables)
    return frame[frame["fault"] == ""]


def vector_cache(services: Services) -> VectorCache:
    """Return the cache of vectors by the configured encoder from thumbnails of the configured size."""
    encoder = services.encoder
    thumbnails = f"thumbnail {services.settings.thumb_large}-v{derivatives.VERSION}"
    return VectorCache(services.tables, f"{encoder.fingerprint} {thumbnails}", encoder.dim)


@dg.op(
    pool=REFRESH_POOL,
    ins={"images": dg.In(dg.Nothing)},
    out=dg.DynamicOut(dg.Nothing),
    description="Find the images that have no vector by this encoder yet.",
)
@guarded_op
def plan_embeddings(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> Iterator[dg.DynamicOutput[None]]:
    """Yield one output per shard, named after the images in it."""
    vectors = vector_cache(services)
    wanted = usable_images(services).drop_duplicates("sha256")[["sha256", "large"]]
    new = wanted[~wanted["sha256"].isin(vectors.present())]
    shards = make_shards(new, "sha256", services.settings.shard_size)
    vectors.plan.write(shards)
    context.log.info(f"{services.encoder.label}: {len(new)} of {len(wanted)} images to encode")
    for name in shards:
        yield dg.DynamicOutput(None, mapping_key=name)


@dg.op(
    pool=REFRESH_POOL,
    ins={"shard": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="Encode the images of one shard and store their vectors every few seconds.",
)
@guarded_op
def encode_images(context: dg.OpExecutionContext, services: dg.ResourceParam[Services]) -> None:
    """Encode the large thumbnails, which are in the image store, where every machine can read them."""
    vectors = vector_cache(services)
    thumbnails = vectors.plan.shard(context.get_mapping_key() or "")
    if context.retry_number:
        thumbnails = thumbnails[~thumbnails["sha256"].isin(vectors.present())]
    settings = services.settings
    services.encoder.load()  # before the clock for the rate starts
    started = time.monotonic()
    encode_shard(
        services.encoder,
        StoredImages(services.images, services.tables),
        vectors,
        thumbnails,
        batch_size=settings.batch_size,
        max_pixels=settings.max_pixels,
        workers=settings.workers,
        progress=context.log.info,
    )
    rate = len(thumbnails) / (time.monotonic() - started)
    context.log.info(f"encoded {len(thumbnails)} images, {rate:.1f}/s")


@dg.op(
    pool=REFRESH_POOL,
    ins={"encoded": dg.In(dg.Nothing)},
    description="Check that every image has a vector.",
)
@guarded_op
def reconcile_embeddings(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Fail if vectors are missing: Dagster can lose shards when a run is re-executed from its failure."""
    vectors = vector_cache(services)
    wanted = sorted(set(usable_images(services)["sha256"]))
    lost = sorted(set(wanted) - vectors.tidy())
    if lost:
        raise NotFound(
            f"{len(lost)} of {len(wanted)} images have no vector, such as {', '.join(lost[:3])}; "
            "materialize `embeddings` again, which encodes only those"
        )
    shards = vectors.plan.sizes()
    embedded = sum(shards.values())
    digest = hashlib.sha256("|".join([vectors.version, *wanted]).encode())
    record_run(services.tables, "embeddings", context.run.run_id)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest.hexdigest()[:16]),
        metadata={
            "dagster/row_count": len(wanted),
            "embedded": embedded,
            "embeddings_reused": len(wanted) - embedded,
            "shards": len(shards),
            "dimensions": services.encoder.dim,
            "encoder": services.encoder.label,
            "fingerprint": services.encoder.fingerprint,
        },
    )


@dg.graph_asset(
    ins={"images": dg.AssetIn(key=images.key, dagster_type=dg.Nothing)},
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"pytorch", "parquet"},
    code_version="1",
    description="One unit vector (float32) per sampled work, cached by encoder and content.",
)
def embeddings(images):  # type: ignore[no-untyped-def]
    return reconcile_embeddings(plan_embeddings(images).map(encode_images).collect())
