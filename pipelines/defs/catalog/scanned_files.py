"""The asset scanned_files: plan -> scan a shard -> collect, so that any executor can spread the shards."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
from pydantic import Field

from gallery.services import Services
from pipelines.defs.catalog import scan
from pipelines.defs.catalog.archive import fetch_listed
from pipelines.defs.catalog.artists import folder_of
from pipelines.defs.catalog.assets import artists
from pipelines.defs.catalog.sampling import likely_sample
from pipelines.defs.images.inventory import ImageWriter, doubt
from pipelines.defs.images.storage import SHEET_IMAGES, ImageLimits
from pipelines.records import ScanRecord
from pipelines.reporting import GROUP_CATALOG, OWNERS, columns, save_table
from pipelines.shards import make_shards
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import ARTISTS, CONTENTS, SNAPSHOT


class ScanConfig(dg.Config):
    """Whether to read files that seem unchanged."""

    reread: bool = Field(
        default=False,
        description="Read every file and every stored image again, even if they seem unchanged.",
    )


@dg.op(
    pool=REFRESH_POOL,
    ins={"artists": dg.In(dg.Nothing)},
    out=dg.DynamicOut(dg.Nothing),
    description="Find the files that were not read before, or have changed since.",
)
@guarded_op
def plan_scan(
    context: dg.OpExecutionContext, config: ScanConfig, services: dg.ResourceParam[Services]
) -> Iterator[dg.DynamicOutput[None]]:
    """Yield one output per shard, named after the files in it."""
    settings, tables = services.settings, services.tables
    snapshot = SNAPSHOT.read(tables)
    if config.reread:
        scan.forget_contents(tables)
        doubt(tables)
    slugs = {
        folder: row["slug"] for row in ARTISTS.read(tables).to_dict("records") for folder in row["folders"]
    }
    known = scan.known_contents(tables, snapshot, ImageLimits.of(settings))
    likely = likely_sample(snapshot["path"], slugs, per_artist=settings.per_artist, key=settings.sample_key)
    new = snapshot[~snapshot["path"].isin(known["path"])]
    stray = [path for path in snapshot["path"] if folder_of(path) not in slugs]
    new = new.assign(store=new["path"].isin(likely), preview=new["path"].isin(stray[:SHEET_IMAGES]))
    shards = make_shards(new, "path", settings.shard_size)
    scan.scan_plan(tables).write(shards)
    context.log.info(f"{len(new)} of {len(snapshot)} files are new")
    for name in shards:
        yield dg.DynamicOutput(None, mapping_key=name)


@dg.op(
    pool=REFRESH_POOL,
    ins={"shard": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="Read and decode the files of one shard, and store the images that the sample will take.",
)
@guarded_op
def scan_shard(context: dg.OpExecutionContext, services: dg.ResourceParam[Services]) -> None:
    """Read from the archive, which each machine downloads once into its own GALLERY_HOME."""
    shard, writer = context.get_mapping_key() or "", ImageWriter(services.images)
    with closing(fetch_listed(services, context.log.info)) as archive:
        found = scan.scan_files(
            archive,
            writer,
            scan.scan_plan(services.tables).shard(shard),
            limits=ImageLimits.of(services.settings),
            workers=services.settings.workers,
            progress=context.log.info,
        )
    writer.save(services.tables, f"scan-{shard}")
    scan.write_result(services.tables, shard, found)


@dg.op(
    pool=REFRESH_POOL,
    ins={"scanned": dg.In(dg.Nothing)},
    description="Check that every file was read, and write the table.",
)
@guarded_op
def collect_scan(
    context: dg.OpExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Fail if files are missing: Dagster can lose shards when a run is re-executed from its failure."""
    tables = services.tables
    limits = ImageLimits.of(services.settings)
    contents = scan.collect_results(tables, SNAPSHOT.read(tables), limits, context.run.run_id)
    record = ScanRecord.load(tables)
    result = save_table(
        context,
        tables,
        CONTENTS,
        contents,
        asset="scanned_files",
        key="path",
        by=["sha256", "fault", "image_fault"],
        metadata={
            "files_read": record.read,
            "originals_stored": len(record.stored),
            "unreadable": int((contents["fault"] != "").sum()),
        },
    )
    scan.delete_results(tables)
    return result


@dg.graph_asset(
    ins={"artists": dg.AssetIn(key=artists.key, dagster_type=dg.Nothing)},
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(CONTENTS),
    description=(
        "Every file, read and decoded once: digest, size, colour, perceptual hash, or why it is unusable. "
        "Unchanged files are not read again. Images of the sample are stored in the same pass."
    ),
)
def scanned_files(artists):  # type: ignore[no-untyped-def]
    return collect_scan(plan_scan(artists).map(scan_shard).collect())
