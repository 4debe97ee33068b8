"""images: originals and thumbnails in the image store."""

from contextlib import closing

import dagster as dg

from gallery.errors import Invalid
from gallery.ports import Ports
from pipelines.assets.catalogue import SHEET, sample
from pipelines.assets.reporting import GROUP_PICTURES, OWNERS, columns, picture
from pipelines.stages.pictures import PictureLimits, contact_sheet, store_pictures
from pipelines.tables import ARTWORKS, IMAGES, SAMPLE


@dg.asset(
    deps=[sample],
    group_name=GROUP_PICTURES,
    owners=OWNERS,
    kinds={"webp"},
    code_version="1",
    metadata=columns(IMAGES),
    description="The sampled works' originals and two thumbnails each, in the image store under keys that their content decides.",
)
def images(context: dg.AssetExecutionContext, ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Upload what is not there yet."""
    settings = ports.settings
    sampled = SAMPLE.read(ports.tables)
    works = sampled.merge(ARTWORKS.read(ports.tables)[["id", "extension"]], on="id", validate="one_to_one")
    limits = PictureLimits(settings.max_file, settings.max_pixels, settings.thumb_small, settings.thumb_large)
    with closing(ports.dataset.fetch()) as archive:
        frame, uploaded = store_pictures(
            archive, ports.images, works, limits=limits, workers=settings.workers, say=context.log.info
        )
    digest = IMAGES.write(ports.tables, frame)
    unusable = frame[frame["fault"] != ""]
    if len(unusable) > settings.max_quarantine * len(frame):
        raise Invalid(
            f"{len(unusable)} of {len(frame)} sampled works could not be stored, over GALLERY_MAX_QUARANTINE; "
            f"the first: {unusable.iloc[0]['id']}: {unusable.iloc[0]['fault']}"
        )
    shown = frame[frame["fault"] == ""].iloc[:: max(1, len(frame) // SHEET)].head(SHEET)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "images_uploaded": uploaded,
            "images_unchanged": len(frame) - uploaded - len(unusable),
            "unusable": len(unusable),
            "store": ports.images.address,
            "contact_sheet": picture(contact_sheet([ports.images.get(key) for key in shown["small"]])),
        },
    )


@dg.asset_check(asset=images, blocking=True, description="The store holds every object that the table names.")
def every_picture_is_stored(ports: dg.ResourceParam[Ports]) -> dg.AssetCheckResult:
    """List the store and look each key up."""
    frame = IMAGES.read(ports.tables)
    usable = frame[frame["fault"] == ""]
    stored = {
        key
        for prefix in ("originals/", "thumbs/")
        for key, size in ports.images.sizes(prefix).items()
        if size
    }
    missing = [
        key for column in ("original", "large", "small") for key in usable[column] if key not in stored
    ]
    return dg.AssetCheckResult(
        passed=not missing,
        metadata={"objects": 3 * len(usable), "missing": len(missing), "examples": ", ".join(missing[:5])},
    )
