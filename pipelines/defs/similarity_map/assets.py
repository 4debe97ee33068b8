"""map: the candidate laid out in two dimensions by likeness, as a picture wall to wander through."""

import io
import time

import dagster as dg
from PIL import Image

from gallery.map_layout import MapLayout, tile_name
from gallery.models import Artwork
from gallery.services import Services
from gallery.vectors.base import Collection
from pipelines.defs.collection.assets import candidate
from pipelines.defs.collection.manifests import list_manifests
from pipelines.defs.evaluation.gate import candidate_name
from pipelines.defs.evaluation.metrics import keyed_sample
from pipelines.defs.similarity_map.positions import assign_to_grid, positions
from pipelines.defs.similarity_map.tiles import draw_tiles, finish, finished, forget, make_layout
from pipelines.reporting import GROUP_COLLECTION, OWNERS, image
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import record_run

MOST = 20_000
"""Works on a map, at most. Of a larger build it shows a sample, and says so."""
PAGE = 1_000
"""Works read from the vector store at a time."""


@dg.asset(
    pool=REFRESH_POOL,
    deps=[candidate],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"webp"},
    code_version="1",
    # After everything else that could run: publishing never waits for the map, and does not need it.
    op_tags={"dagster/priority": "-1"},
    description=(
        "The works of the candidate in two dimensions by likeness (t-SNE), each in a cell of its own, drawn as a pyramid "
        "of tiles for the page /map. A build's map is drawn once; those of dropped builds are deleted. "
        f"Of more than {MOST:,} works, a sample is drawn."
    ),
)
@guarded_op
def similarity_map(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Lay out, draw what is not drawn yet, and put the layout there last."""
    started = time.monotonic()
    name, images = candidate_name(services.tables), services.images
    collection = services.vectors.open(name)
    layout = finished(images, name)
    reused, drawn = layout is not None, 0
    if layout is None:
        works = works_of(collection)
        cells = assign_to_grid(positions(collection.vectors([work.id for work in works])))
        layout = make_layout(name, works, cells, of=collection.build.works)
        context.log.info(
            f"{len(works)} works laid out in {layout.columns} x {layout.rows} cells, after {time.monotonic() - started:.0f} s"
        )
        drawn = draw_tiles(layout, images, workers=services.settings.workers, progress=context.log.info)
        finish(layout, images)
    forgotten = forget(images, wanted_maps(services), workers=services.settings.workers)
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
            "forgotten": ", ".join(forgotten) or "none",
            **overview(services, layout),
        },
    )


def works_of(collection: Collection) -> list[Artwork]:
    """The works that get a place on the build's map: all, or `MOST` of them, drawn by a hash that keeps to its choice."""
    chosen = set(keyed_sample(collection.ids(), MOST, "map"))
    works = []
    for start in range(0, collection.count(), PAGE):
        works += [work for work in collection.works(limit=PAGE, offset=start) if work.id in chosen]
    return sorted(works, key=lambda work: work.id)


def wanted_maps(services: Services) -> set[str]:
    """The builds whose maps stay: those of this vector store, and by the records those of others that share the images."""
    others = {
        key.rpartition("/")[2].removesuffix(".parquet")
        for key, name in list_manifests(services.tables, services.vectors).items()
        if not name
    }
    return others | {build.name for build in services.vectors.builds()}


def overview(services: Services, layout: MapLayout) -> dict[str, dg.MarkdownMetadataValue]:
    """The whole map in one small picture, for the asset page."""
    if not layout.items:
        return {}
    with Image.open(io.BytesIO(services.images.get(layout.folder + tile_name(0, 0, 0)))) as tile:
        seen = tile.convert("RGBA")
    sheet = Image.new("RGB", seen.size, "white")
    sheet.paste(seen, mask=seen)
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=80)
    return {"overview": image(buffer.getvalue(), "map")}
