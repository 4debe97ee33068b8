"""The asset similarity_map: a map of the candidate's works, drawn as tiles."""

import io
import time

import dagster as dg
from PIL import Image

from gallery.map_layout import MapLayout, tile_name
from gallery.models import Artwork
from gallery.objects.base import ObjectStore
from gallery.services import Services
from gallery.vectors.base import Collection
from pipelines.defs.collection.assets import candidate
from pipelines.defs.collection.manifests import list_manifests
from pipelines.defs.evaluation.gate import candidate_name
from pipelines.defs.evaluation.metrics import keyed_sample
from pipelines.defs.similarity_map.positions import assign_to_grid, positions
from pipelines.defs.similarity_map.tiles import (
    delete_other_maps,
    draw_tiles,
    make_layout,
    read_layout,
    save_layout,
)
from pipelines.records import record_run
from pipelines.reporting import GROUP_COLLECTION, OWNERS, decoration
from pipelines.steps import REFRESH_POOL, guarded_op

MAX_ITEMS = 20_000
"""Maximum number of works on a map. The map of a larger build shows a sample."""
PAGE_WORKS = 1_000
"""Works read from the vector store at a time."""


@dg.asset(
    pool=REFRESH_POOL,
    deps=[candidate],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"webp"},
    code_version="1",
    # Lowest priority: publishing does not need the map and must not wait for it.
    op_tags={"dagster/priority": "-1"},
    description=(
        "A map of the candidate for the page /map: works are placed by similarity (t-SNE), one per grid "
        "cell, and drawn as a pyramid of tiles. The map of a build is drawn once; maps of dropped builds are "
        f"deleted. With more than {MAX_ITEMS:,} works, it shows a sample."
    ),
)
@guarded_op
def similarity_map(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Draw the map of the candidate, or what is missing of it. The layout is stored last."""
    started = time.monotonic()
    name, images = candidate_name(services.tables), services.images
    collection = services.vectors.open(name)
    layout = read_layout(images, name)
    reused = layout is not None
    if layout is None:
        works = mapped_works(collection)
        context.log.info(f"placing {len(works)} works by similarity")
        cells = assign_to_grid(positions(collection.vectors([work.id for work in works])))
        layout = make_layout(name, works, cells, total=collection.build.works)
        context.log.info(
            f"placed {len(works)} works on {layout.columns} x {layout.rows} cells in "
            f"{time.monotonic() - started:.0f} s"
        )
    drawn = draw_tiles(
        layout, images, services.tables, workers=services.settings.workers, progress=context.log.info
    )
    if not reused:
        save_layout(layout, images)
    deleted = delete_other_maps(images, needed_maps(services), workers=services.settings.workers)
    record_run(services.tables, "similarity_map", context.run.run_id)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{name}-{layout.digest}"),
        metadata={
            "dagster/row_count": len(layout.items),
            "of_works": layout.works,
            "build": name,
            "reused": reused,
            "tiles_drawn": drawn,
            "columns": layout.columns,
            "rows": layout.rows,
            "deleted_maps": ", ".join(deleted) or "none",
            **(decoration("overview", lambda: overview(images, layout), "map") if layout.items else {}),
        },
    )


def mapped_works(collection: Collection) -> list[Artwork]:
    """Return the works of the map, ordered by id: all, or a keyed sample of `MAX_ITEMS`."""
    chosen = set(keyed_sample(collection.ids(), MAX_ITEMS, "map"))
    works = []
    for start in range(0, collection.count(), PAGE_WORKS):
        works += [work for work in collection.works(limit=PAGE_WORKS, offset=start) if work.id in chosen]
    return sorted(works, key=lambda work: work.id)


def needed_maps(services: Services) -> set[str]:
    """Return the builds whose maps are kept: of this vector store, and of others that share the images."""
    manifests = list_manifests(services.tables, services.vectors)
    others = {
        key.rpartition("/")[2].removesuffix(".parquet") for key, build in manifests.items() if not build
    }
    return others | {build.name for build in services.vectors.builds()}


def overview(images: ObjectStore, layout: MapLayout) -> bytes:
    """Return the whole map as one small JPEG, for the asset page."""
    with Image.open(io.BytesIO(images.get(layout.folder + tile_name(0, 0, 0)))) as opened:
        tile = opened.convert("RGBA")
    sheet = Image.new("RGB", tile.size, "white")
    sheet.paste(tile, mask=tile)
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
