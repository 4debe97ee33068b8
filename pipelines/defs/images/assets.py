"""images: plan -> upload a shard -> reconcile: originals and thumbnails in the image store."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
import pandas as pd

from gallery.errors import Invalid
from gallery.services import Services
from pipelines.defs.catalog.assets import SHEET, sample
from pipelines.defs.images.storage import (
    ImageLimits,
    contact_sheet,
    forget_faults,
    image_plan,
    missing_images,
    note_faults,
    noted_faults,
    store_images,
    stored_keys,
    verify_images,
)
from pipelines.reporting import GROUP_PICTURES, OWNERS, columns, picture
from pipelines.shards import make_shards
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import ARTWORKS, IMAGES, SAMPLE, record_run


def sampled_works(services: Services) -> pd.DataFrame:
    """The sampled works, with what their pictures are stored under: id, file, sha256, extension."""
    works = SAMPLE.read(services.tables).merge(
        ARTWORKS.read(services.tables)[["id", "extension"]], on="id", validate="one_to_one"
    )
    return works[["id", "file", "sha256", "extension"]]


def picture_limits(services: Services) -> ImageLimits:
    """The sizes of the settings."""
    settings = services.settings
    return ImageLimits(settings.max_file, settings.max_pixels, settings.thumb_small, settings.thumb_large)


@dg.op(
    pool=REFRESH_POOL,
    ins={"sample": dg.In(dg.Nothing)},
    out=dg.DynamicOut(dg.Nothing),
    description="Which works have pictures to upload.",
)
@guarded_op
def plan_images(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> Iterator[dg.DynamicOutput[None]]:
    """One output a shard, named after the works in it."""
    works = sampled_works(services)
    new = missing_images(works, services.images, picture_limits(services))
    shards = make_shards(new, "id", services.settings.shard_size)
    forget_faults(services.tables)
    image_plan(services.tables).write(shards)
    context.log.info(f"{len(new)} of {len(works)} works have pictures to upload")
    for name in shards:
        yield dg.DynamicOutput(None, mapping_key=name)


@dg.op(
    pool=REFRESH_POOL,
    ins={"shard": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="Make and upload the pictures of one shard's works.",
)
@guarded_op
def upload_images(context: dg.OpExecutionContext, services: dg.ResourceParam[Services]) -> None:
    """Read the originals from the archive, which each machine fetches once into its own GALLERY_HOME."""
    shard = context.get_mapping_key() or ""
    with closing(services.dataset.fetch(context.log.info)) as archive:
        faults = store_images(
            archive,
            services.images,
            image_plan(services.tables).shard(shard),
            limits=picture_limits(services),
            workers=services.settings.workers,
            progress=context.log.info,
        )
    note_faults(services.tables, shard, faults)


@dg.op(
    pool=REFRESH_POOL,
    ins={"uploaded": dg.In(dg.Nothing)},
    description="Compare what is stored with what was wanted: a shard that never ran is found here.",
)
@guarded_op
def reconcile_images(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Write the table of what lies where. Fails where works are missing, or too many are unusable."""
    settings = services.settings
    faults = noted_faults(services.tables)
    frame = verify_images(sampled_works(services), faults, services.images, picture_limits(services))
    digest = IMAGES.write(services.tables, frame)
    record_run(services.tables, "images", context.run.run_id)
    unusable = frame[frame["fault"] != ""]
    if len(unusable) > settings.max_quarantine * len(frame):
        raise Invalid(
            f"{len(unusable)} of {len(frame)} sampled works could not be stored, over GALLERY_MAX_QUARANTINE; "
            f"the first: {unusable.iloc[0]['id']}: {unusable.iloc[0]['fault']}"
        )
    shards = image_plan(services.tables).sizes()
    uploaded = sum(shards.values()) - len(unusable)
    shown = frame[frame["fault"] == ""].iloc[:: max(1, len(frame) // SHEET)].head(SHEET)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "images_uploaded": uploaded,
            "images_unchanged": len(frame) - uploaded - len(unusable),
            "unusable": len(unusable),
            "shards": len(shards),
            "store": services.images.address,
            "contact_sheet": picture(contact_sheet([services.images.get(key) for key in shown["small"]])),
        },
    )


@dg.graph_asset(
    ins={"sample": dg.AssetIn(key=sample.key, dagster_type=dg.Nothing)},
    group_name=GROUP_PICTURES,
    owners=OWNERS,
    kinds={"webp"},
    code_version="1",
    metadata=columns(IMAGES),
    description="The sampled works' originals and two thumbnails each, in the image store under keys that their content decides.",
)
def images(sample):  # type: ignore[no-untyped-def]
    return reconcile_images(plan_images(sample).map(upload_images).collect())


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=images,
    blocking=True,
    description="The store holds every object that the table names.",
)
@guarded_op
def every_picture_is_stored(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """List the store and look each key up."""
    frame = IMAGES.read(services.tables)
    usable = frame[frame["fault"] == ""]
    stored = stored_keys(services.images)
    missing = [
        key for column in ("original", "large", "small") for key in usable[column] if key not in stored
    ]
    return dg.AssetCheckResult(
        passed=not missing,
        metadata={"objects": 3 * len(usable), "missing": len(missing), "examples": ", ".join(missing[:5])},
    )
