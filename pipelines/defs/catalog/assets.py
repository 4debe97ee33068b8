"""Assets of the catalogue: raw_dataset -> artists -> scanned_files -> artworks -> quarantine, sample."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
from pydantic import Field

from gallery.services import Services
from pipelines.changes import changes
from pipelines.defs.catalog import scan
from pipelines.defs.catalog.artists import artists_digest, folder_of, read_artists
from pipelines.defs.catalog.files import classify_files, decodable_thumbnails, quarantined
from pipelines.defs.catalog.sampling import draw_sample, likely_sample
from pipelines.defs.collection.manifests import live_works
from pipelines.defs.images.storage import ImageLimits, contact_sheet, stored_sheet, thumbnail_key
from pipelines.records import DatasetRecord, ScanRecord, record_run
from pipelines.reporting import GROUP_CATALOG, OWNERS, bars, columns, image, markdown_table
from pipelines.shards import make_shards
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import (
    ARTISTS,
    ARTWORKS,
    CONTENTS,
    FILES,
    QUARANTINE,
    SAMPLE,
    SNAPSHOT,
)

SHEET_IMAGES = 50
"""Images on a contact sheet, at most."""


@dg.asset(
    pool=REFRESH_POOL,
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"file"},
    code_version="2",
    metadata=columns(SNAPSHOT),
    description=(
        "The downloaded dataset: its version, and every file with its size and signature. Made for "
        "[Best Artworks of All Time](https://www.kaggle.com/datasets/ikarus777/best-artworks-of-all-time)."
    ),
)
@guarded_op
def raw_dataset(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Download the dataset and list its files. A version that is already here is not downloaded again."""
    version = services.dataset.version()
    context.log.info(f"{services.dataset.address}, version {version}")
    with closing(services.dataset.fetch(context.log.info)) as archive:
        snapshot = scan.list_files(archive)
        artists_csv = artists_digest(archive)  # the snapshot has images only
    found = changes(SNAPSHOT.read_or_none(services.tables), snapshot, key="path", by=["signature"])
    digest = SNAPSHOT.write(services.tables, snapshot)
    dataset = services.dataset
    DatasetRecord(address=dataset.address, version=version, generated=dataset.generated).save(services.tables)
    record_run(services.tables, "raw_dataset", context.run.run_id)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{digest}-{artists_csv}"),
        metadata={
            "dagster/row_count": len(snapshot),
            "version": version,
            "address": services.dataset.address,
            "generated": services.dataset.generated,
            "files": len(snapshot),
            **found.facts(),
            "megabytes": round(float(snapshot["size"].sum()) / 1e6, 1),
        },
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[raw_dataset],
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(ARTISTS),
    description="Artists from artists.csv: cleaned names, years as numbers, styles and nationalities as lists, a short biography.",
)
@guarded_op
def artists(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Read the artists and find the folders of each, however those are spelled."""
    with closing(services.dataset.fetch()) as archive:
        frame = read_artists(archive, SNAPSHOT.read(services.tables), services.dataset.address)
    found = changes(ARTISTS.read_or_none(services.tables), frame, key="slug", by=list(ARTISTS.columns))
    digest = ARTISTS.write(services.tables, frame)
    record_run(services.tables, "artists", context.run.run_id)
    respelled = [
        (folder, row["name"], row["slug"])
        for row in frame.to_dict("records")
        for folder in row["folders"]
        if folder.replace("_", " ") != row["name"]
    ]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "artists": len(frame),
            **found.facts(),
            "without_files": int((frame["files"] == 0).sum()),
            "without_years": int(frame["birth"].isna().sum()),
            "spelled_differently": markdown_table(("folder", "artist", "slug"), respelled),
        },
    )


class ScanConfig(dg.Config):
    """Whether to read files that seem unchanged."""

    reread: bool = Field(
        default=False,
        description="Read every file again, also if its size and times, or its checksum in a zip, are unchanged.",
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
    shard = context.get_mapping_key() or ""
    with closing(services.dataset.fetch(context.log.info)) as archive:
        found = scan.scan_files(
            archive,
            services.images,
            scan.scan_plan(services.tables).shard(shard),
            limits=ImageLimits.of(services.settings),
            workers=services.settings.workers,
            progress=context.log.info,
        )
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
    """Fail with the missing files: Dagster can lose shards when a run is re-executed from its failure."""
    tables = services.tables
    snapshot = SNAPSHOT.read(tables)
    before = CONTENTS.read_or_none(tables)
    contents = scan.finish_scan(tables, snapshot, ImageLimits.of(services.settings), context.run.run_id)
    digest = CONTENTS.write(tables, contents)
    record_run(tables, "scanned_files", context.run.run_id)
    record = ScanRecord.load(tables)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(contents),
            **changes(before, contents, key="path", by=["sha256", "fault", "image_fault"]).facts(),
            "files_read": record.read,
            "originals_stored": len(record.stored),
            "unreadable": int((contents["fault"] != "").sum()),
        },
    )


@dg.graph_asset(
    ins={"artists": dg.AssetIn(key=artists.key, dagster_type=dg.Nothing)},
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(CONTENTS),
    description=(
        "Every file, read and decoded once: digest, size, colour, perceptual hash, or why it is unusable. Files that "
        "have not changed are not read again. New files of the sample go into the image store in the same pass."
    ),
)
def scanned_files(artists):  # type: ignore[no-untyped-def]
    return collect_scan(plan_scan(artists).map(scan_shard).collect())


class RemovalConfig(dg.Config):
    """Whether this run may remove many works from the collection."""

    allow_removals: bool = Field(
        default=False,
        description="Continue even if more live works are missing from the dataset than GALLERY_MAX_REMOVED allows.",
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[scanned_files, artists],
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="3",
    metadata=columns(ARTWORKS),
    check_specs=[
        dg.AssetCheckSpec(
            "removals_within_limit",
            asset="artworks",
            blocking=True,
            description=(
                "No more live works are missing from the dataset than GALLERY_MAX_REMOVED allows. Override it for one "
                "run with `gallery refresh --allow-removals`, or allow_removals in the launchpad."
            ),
        )
    ],
    description="One row per work. Every file is kept, a duplicate, or quarantined with a reason (table `files`).",
)
@guarded_op
def artworks(
    context: dg.AssetExecutionContext, config: RemovalConfig, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Classify the files."""
    tables = services.tables
    files, works = classify_files(CONTENTS.read(tables), ARTISTS.read(tables))
    FILES.write(tables, files)
    found = changes(ARTWORKS.read_or_none(tables), works, key="id", by=["artist", "file", "sha256"])
    digest = ARTWORKS.write(tables, works)
    record_run(tables, "artworks", context.run.run_id)
    status = files["status"].value_counts()
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(works),
            "artists": int(works["artist"].nunique()),
            "files": len(files),
            "works": int(status.get("kept", 0)),
            **found.facts(),
            "duplicates": int(status.get("duplicate", 0)),
            "quarantined": int(status.get("quarantined", 0)),
        },
        check_results=[_removals(services, set(works["id"]), config.allow_removals)],
    )


def _removals(services: Services, works: set[str], allowed: bool) -> dg.AssetCheckResult:
    """Compare with the live build. A run that stops here leaves it as it is, so the next run stops here too."""
    limit = services.settings.max_removed
    live_ids = live_works(services.vectors, services.tables)
    gone = live_ids - works
    share = len(gone) / max(1, len(live_ids))
    within = share <= limit
    facts: dict[str, dg.RawMetadataValue] = {
        "live": len(live_ids),
        "gone": len(gone),
        "share": share,
        "limit": limit,
    }
    why = None
    if not within:
        facts["allowed"] = allowed
        why = (
            f"{len(gone)} of the {len(live_ids)} live works ({share:.1%}) are missing from the dataset, over the limit of "
            f"{limit:.1%} (GALLERY_MAX_REMOVED), so nothing is published; if this is intended, run `gallery refresh --allow-removals`"
        )
    return dg.AssetCheckResult(
        check_name="removals_within_limit", passed=within or allowed, description=why, metadata=facts
    )


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=artworks,
    blocking=True,
    description="Every file is kept, a duplicate or quarantined, and every kept file is a work.",
)
@guarded_op
def every_file_accounted_for(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """Compare the list of files with the classified files and the works."""
    snapshot, files, works = (
        SNAPSHOT.read(services.tables),
        FILES.read(services.tables),
        ARTWORKS.read(services.tables),
    )
    kept = files[files["status"] == "kept"]
    unexplained = files[(files["status"] != "kept") & (files["reason"] == "")]
    passed = (
        sorted(snapshot["path"]) == sorted(files["path"])
        and sorted(kept["work"]) == sorted(works["id"])
        and works["id"].is_unique
        and unexplained.empty
    )
    return dg.AssetCheckResult(
        passed=bool(passed),
        metadata={
            "files": len(files),
            "in_archive": len(snapshot),
            "kept": len(kept),
            "unexplained": len(unexplained),
        },
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[artworks],
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(QUARANTINE),
    check_specs=[
        dg.AssetCheckSpec(
            "quarantine_within_limit",
            asset="quarantine",
            blocking=True,
            description="No more files are unusable than GALLERY_MAX_QUARANTINE allows.",
        )
    ],
    description="Rejected files, with reasons. `gallery lineage FILE` explains one of them.",
)
@guarded_op
def quarantine(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """List the rejected files by reason, with previews of those that are images."""
    settings, tables = services.settings, services.tables
    files = FILES.read(tables)
    frame = quarantined(files)
    found = changes(QUARANTINE.read_or_none(tables), frame, key="path", by=["sha256", "reason"])
    digest = QUARANTINE.write(tables, frame)
    record_run(tables, "quarantine", context.run.run_id)
    kinds = [
        (kind, len(group), ", ".join(group["path"].head(3)) + (" …" if len(group) > 3 else ""))
        for kind, group in sorted(frame.groupby("kind"), key=lambda item: -len(item[1]))
    ]
    previews = decodable_thumbnails(CONTENTS.read(tables), frame, SHEET_IMAGES)
    share = len(frame) / max(1, len(files))
    facts: dict[str, dg.RawMetadataValue] = {
        "quarantined": len(frame),
        "files": len(files),
        "share": round(share, 4),
        "limit": settings.max_quarantine,
    }
    problem = None
    if share > settings.max_quarantine:
        first = frame.iloc[0]
        problem = (
            f"{len(frame)} of {len(files)} files are unusable ({share:.1%}), over the limit of "
            f"{settings.max_quarantine:.1%} (GALLERY_MAX_QUARANTINE), so nothing is published. "
            f"The first is {first['path']}: {first['reason']}. Run `gallery lineage FILE` for any other."
        )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "quarantined": len(frame),
            **found.facts(),
            "share": round(share, 4),
            "by_reason": markdown_table(("reason", "files", "such as"), kinds),
            "files": markdown_table(
                ("file", "reason"),
                list(frame[["path", "reason"]].head(50).itertuples(index=False, name=None)),
            ),
            **({"thumbnails": image(contact_sheet(previews))} if previews else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="quarantine_within_limit",
                passed=share <= settings.max_quarantine,
                description=problem,
                metadata=facts,
            )
        ],
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[artworks, quarantine],
    group_name=GROUP_CATALOG,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(SAMPLE),
    description="At most GALLERY_PER_ARTIST works of each artist, ranked by a keyed hash, so new files hardly change it.",
)
@guarded_op
def sample(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Draw the sample."""
    settings, tables = services.settings, services.tables
    frame = draw_sample(ARTWORKS.read(tables), per_artist=settings.per_artist, key=settings.sample_key)
    found = changes(SAMPLE.read_or_none(tables), frame, key="id", by=["sha256"])
    digest = SAMPLE.write(tables, frame)
    record_run(tables, "sample", context.run.run_id)
    per_artist = frame["artist"].value_counts()
    shown = frame.iloc[:: max(1, len(frame) // SHEET_IMAGES)].head(SHEET_IMAGES)
    keys = [thumbnail_key(sha256, settings.thumb_small) for sha256 in shown["sha256"]]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "sampled": len(frame),
            **found.facts(),
            "artists": len(per_artist),
            "artists_below_the_limit": int((per_artist < settings.per_artist).sum()),
            "works_per_artist": bars(
                "artist", {str(slug): int(n) for slug, n in per_artist.sort_index().items()}
            ),
            "contact_sheet": image(stored_sheet(tables, services.images, "sample", keys)),
        },
    )


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=sample,
    blocking=True,
    description="No artist has more works than the limit, and no work appears twice.",
)
@guarded_op
def sample_within_limits(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """Count the works of each artist."""
    frame = SAMPLE.read(services.tables)
    most = int(frame["artist"].value_counts().max()) if len(frame) else 0
    passed = 0 < most <= services.settings.per_artist and frame["id"].is_unique
    return dg.AssetCheckResult(
        passed=bool(passed),
        metadata={"most_by_one_artist": most, "limit": services.settings.per_artist, "works": len(frame)},
    )
