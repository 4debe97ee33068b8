"""The asset images: plan -> store a shard -> reconcile, so that any executor can spread the shards."""

from collections.abc import Iterable, Iterator
from contextlib import closing

import dagster as dg
import pandas as pd

from gallery.errors import Invalid
from gallery.services import Services
from pipelines.defs.catalog.archive import fetch_listed
from pipelines.defs.catalog.scan import stored_by_scan
from pipelines.defs.images.inventory import Check, ImageWriter, check_objects
from pipelines.defs.images.storage import (
    SHEET_IMAGES,
    ImageLimits,
    clear_faults,
    image_plan,
    missing_images,
    read_faults,
    store_images,
    stored_sheet,
    verify_images,
    wanted_keys,
    write_faults,
)
from pipelines.records import record_run
from pipelines.reporting import GROUP_IMAGES, OWNERS, columns, decoration
from pipelines.shards import make_shards
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import ARTWORKS, IMAGES, SAMPLE


def sampled_works(services: Services) -> pd.DataFrame:
    """Return the sampled works: id, file, sha256, extension."""
    works = SAMPLE.read(services.tables).merge(
        ARTWORKS.read(services.tables)[["id", "extension"]], on="id", validate="one_to_one"
    )
    return works[["id", "file", "sha256", "extension"]]


def _check(services: Services, keys: Iterable[str]) -> Check:
    return check_objects(services.tables, services.images, keys, workers=services.settings.workers)


@dg.op(
    pool=REFRESH_POOL,
    ins={"sample": dg.In(dg.Nothing)},
    out=dg.DynamicOut(dg.Nothing),
    description="Find the sampled works whose images are missing or damaged.",
)
@guarded_op
def plan_images(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> Iterator[dg.DynamicOutput[None]]:
    """Yield one output per shard, named after the works in it."""
    works = sampled_works(services)
    limits = ImageLimits.of(services.settings)
    found = _check(services, wanted_keys(works, limits))
    for key, fault in found.damaged.items():
        context.log.warning(f"{key} in {services.images.address} is damaged, so it is stored again: {fault}")
    new = missing_images(works, found.whole, limits)
    shards = make_shards(new, "id", services.settings.shard_size)
    clear_faults(services.tables)
    image_plan(services.tables).write(shards)
    by_scan = int((works["sha256"].isin(stored_by_scan(services.tables, context.run.run_id))).sum())
    context.log.info(
        f"{len(works)} sampled works: images of {by_scan} stored by the scan, of {len(new)} still to store"
    )
    for name in shards:
        yield dg.DynamicOutput(None, mapping_key=name)


@dg.op(
    pool=REFRESH_POOL,
    ins={"shard": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="Store the missing and damaged images of one shard.",
)
@guarded_op
def upload_images(context: dg.OpExecutionContext, services: dg.ResourceParam[Services]) -> None:
    """Read the originals from the archive, which each machine downloads once into its own GALLERY_HOME."""
    shard, writer = context.get_mapping_key() or "", ImageWriter(services.images)
    with closing(fetch_listed(services, context.log.info)) as archive:
        faults = store_images(
            archive,
            writer,
            image_plan(services.tables).shard(shard),
            limits=ImageLimits.of(services.settings),
            workers=services.settings.workers,
            progress=context.log.info,
        )
    writer.save(services.tables, shard)
    write_faults(services.tables, shard, faults)


@dg.op(
    pool=REFRESH_POOL,
    ins={"uploaded": dg.In(dg.Nothing)},
    description="Check that the store has every image of the sample, and write the table.",
)
@guarded_op
def reconcile_images(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Fail if images are missing, for example after a lost shard, or if too many works are unusable."""
    settings = services.settings
    works, limits = sampled_works(services), ImageLimits.of(settings)
    whole = _check(services, wanted_keys(works, limits)).whole
    frame = verify_images(works, read_faults(services.tables), whole, limits, services.images.address)
    digest = IMAGES.write(services.tables, frame)
    record_run(services.tables, "images", context.run.run_id)
    unusable = frame[frame["fault"] != ""]
    if len(unusable) > settings.max_quarantine * len(frame):
        raise Invalid(
            f"{len(unusable)} of {len(frame)} sampled works could not be stored, more than "
            "GALLERY_MAX_QUARANTINE allows; the first is "
            f"{unusable.iloc[0]['id']}: {unusable.iloc[0]['fault']}"
        )
    shards = image_plan(services.tables).sizes()
    usable = frame[frame["fault"] == ""]
    by_scan = usable["sha256"].isin(stored_by_scan(services.tables, context.run.run_id))
    uploaded = sum(shards.values()) - len(unusable) + int(by_scan.sum())
    shown = usable.iloc[:: max(1, len(frame) // SHEET_IMAGES)].head(SHEET_IMAGES)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "images_uploaded": uploaded,
            "uploaded_by_scan": int(by_scan.sum()),
            "images_unchanged": len(frame) - uploaded - len(unusable),
            "unusable": len(unusable),
            "shards": len(shards),
            "store": services.images.address,
            **decoration(
                "contact_sheet",
                lambda: stored_sheet(services.tables, services.images, "images", list(shown["small"])),
            ),
        },
    )


@dg.graph_asset(
    ins={"sample": dg.AssetIn(key="sample", dagster_type=dg.Nothing)},
    group_name=GROUP_IMAGES,
    owners=OWNERS,
    kinds={"webp"},
    code_version="1",
    metadata=columns(IMAGES),
    description="The original and two thumbnails of each sampled work, in the image store, by content.",
)
def images(sample):  # type: ignore[no-untyped-def]
    return reconcile_images(plan_images(sample).map(upload_images).collect())


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=images,
    blocking=True,
    description="The store has every object that the table lists, with its size and checksum.",
)
@guarded_op
def every_image_is_stored(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """Compare the listing of the store with the inventory."""
    frame = IMAGES.read(services.tables)
    usable = frame[frame["fault"] == ""]
    keys = [key for column in ("original", "large", "small") for key in usable[column]]
    whole = _check(services, keys).whole
    missing = [key for key in keys if key not in whole]
    return dg.AssetCheckResult(
        passed=not missing,
        metadata={"objects": 3 * len(usable), "missing": len(missing), "examples": ", ".join(missing[:5])},
    )
