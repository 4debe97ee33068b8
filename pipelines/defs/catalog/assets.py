"""dataset -> artists -> artworks -> quarantine, sample: from an archive to the works that go into the collection."""

from contextlib import closing

import dagster as dg
from pydantic import Field

from gallery.services import Services
from pipelines.changes import changes
from pipelines.defs.catalog import files as catalogue
from pipelines.defs.collection.manifests import live_works
from pipelines.defs.images.storage import contact_sheet
from pipelines.reporting import GROUP_CATALOGUE, OWNERS, bars, columns, markdown_table, picture
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import (
    ARTISTS,
    ARTWORKS,
    FILES,
    IMAGE_INFO,
    QUARANTINE,
    SAMPLE,
    SNAPSHOT,
    record_run,
    write_note,
)

SHEET = 50
"""Pictures on a contact sheet."""


@dg.asset(
    pool=REFRESH_POOL,
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"file"},
    code_version="1",
    metadata=columns(SNAPSHOT),
    description=(
        "The archive, fetched and read through once: every file with its size and SHA-256, and the dataset's version. "
        "The one this was made for is "
        "[Best Artworks of All Time](https://www.kaggle.com/datasets/ikarus777/best-artworks-of-all-time)."
    ),
)
@guarded_op
def dataset(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Fetch the dataset and list what is in it. Nothing is fetched again while its version stays."""
    settings = services.settings
    version = services.dataset.version()
    context.log.info(f"{services.dataset.address}, version {version}")
    with closing(services.dataset.fetch(context.log.info)) as archive:
        snapshot = catalogue.take_snapshot(
            archive, max_file=settings.max_file, workers=settings.workers, progress=context.log.info
        )
        words = catalogue.artists_digest(archive)  # the snapshot lists pictures only
    found = changes(SNAPSHOT.read_or_none(services.tables), snapshot, key="path", by=["sha256", "fault"])
    digest = SNAPSHOT.write(services.tables, snapshot)
    write_note(
        services.tables,
        "dataset",
        {"address": services.dataset.address, "version": version, "generated": services.dataset.generated},
    )
    record_run(services.tables, "dataset", context.run.run_id)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{digest}-{words}"),
        metadata={
            "dagster/row_count": len(snapshot),
            "version": version,
            "address": services.dataset.address,
            "generated": services.dataset.generated,
            "files": len(snapshot),
            **found.facts(),
            "unreadable": int((snapshot["fault"] != "").sum()),
            "megabytes": float(snapshot["size"].sum()) / 1e6,
        },
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[dataset],
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(ARTISTS),
    description="The painters of artists.csv: names repaired, years as numbers, genres and nationalities as lists, a short bio.",
)
@guarded_op
def artists(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Read the artists and find each one's folders, however those are spelled."""
    with closing(services.dataset.fetch()) as archive:
        frame = catalogue.read_artists(archive, SNAPSHOT.read(services.tables), services.dataset.address)
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
            "spelled_otherwise": markdown_table(("folder", "artist", "slug"), respelled),
        },
    )


class Removals(dg.Config):
    """Whether this run may take many works out of the collection."""

    allow_removals: bool = Field(
        default=False,
        description="Go on although more of the live works are gone from the dataset than GALLERY_MAX_REMOVED allows.",
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[dataset, artists],
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="2",
    metadata=columns(ARTWORKS),
    check_specs=[
        dg.AssetCheckSpec(
            "removals_within_limit",
            asset="artworks",
            blocking=True,
            description=(
                "No more of the live works are gone from the dataset than GALLERY_MAX_REMOVED allows. "
                "`gallery refresh --allow-removals`, or allow_removals in the launchpad, lets one run through."
            ),
        )
    ],
    description="One row a picture. Every file of the archive ends as kept, duplicate or quarantined with a reason (table `files`).",
)
@guarded_op
def artworks(
    context: dg.AssetExecutionContext, config: Removals, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Decode each new file once, and sort all of them."""
    settings = services.settings
    snapshot = SNAPSHOT.read(services.tables)
    known = IMAGE_INFO.read_or_none(services.tables)  # only a cache: the first run has none
    with closing(services.dataset.fetch()) as archive:
        looks = catalogue.inspect_files(
            archive,
            snapshot,
            IMAGE_INFO.frame([]) if known is None else known,
            max_file=settings.max_file,
            max_pixels=settings.max_pixels,
            workers=settings.workers,
            progress=context.log.info,
        )
    IMAGE_INFO.write(services.tables, looks)
    files, works = catalogue.classify_files(snapshot, ARTISTS.read(services.tables), looks)
    FILES.write(services.tables, files)
    found = changes(ARTWORKS.read_or_none(services.tables), works, key="id", by=["artist", "file", "sha256"])
    digest = ARTWORKS.write(services.tables, works)
    record_run(services.tables, "artworks", context.run.run_id)
    status = files["status"].value_counts()
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(works),
            "artists": int(works["artist"].nunique()),
            "files": len(files),
            "works": int(status.get("kept", 0)),
            **found.facts(),
            "looked_at": len(set(looks["sha256"]) - set(() if known is None else known["sha256"])),
            "duplicates": int(status.get("duplicate", 0)),
            "quarantined": int(status.get("quarantined", 0)),
        },
        check_results=[_removals(services, set(works["id"]), config.allow_removals)],
    )


def _removals(services: Services, works: set[str], allowed: bool) -> dg.AssetCheckResult:
    """Compare with what is live, which a run that stops here leaves as it is, so the next run stops here too."""
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
            f"{len(gone)} of the {len(live_ids)} live works ({share:.1%}) are gone from the dataset, over the limit of "
            f"{limit:.1%} (GALLERY_MAX_REMOVED), so nothing is published; `gallery refresh --allow-removals` if "
            "that is meant"
        )
    return dg.AssetCheckResult(
        check_name="removals_within_limit", passed=within or allowed, description=why, metadata=facts
    )


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=artworks,
    blocking=True,
    description="Each file is in exactly one place, and each kept one is a work.",
)
@guarded_op
def every_file_accounted_for(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """Compare the archive's list with the sorted files and the works."""
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
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(QUARANTINE),
    check_specs=[
        dg.AssetCheckSpec(
            "quarantine_within_limit",
            asset="quarantine",
            blocking=True,
            description="No more of the files are unusable than GALLERY_MAX_QUARANTINE allows.",
        )
    ],
    description="The files that are no works of the catalogue, and why. `gallery lineage FILE` tells more of each.",
)
@guarded_op
def quarantine(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Sort them by reason, and show those that can be seen at all."""
    settings = services.settings
    files = FILES.read(services.tables)
    frame = catalogue.quarantined(files)
    found = changes(QUARANTINE.read_or_none(services.tables), frame, key="path", by=["sha256", "reason"])
    digest = QUARANTINE.write(services.tables, frame)
    record_run(services.tables, "quarantine", context.run.run_id)
    kinds = [
        (kind, len(group), ", ".join(group["path"].head(3)) + (" …" if len(group) > 3 else ""))
        for kind, group in sorted(frame.groupby("kind"), key=lambda item: -len(item[1]))
    ]
    with closing(services.dataset.fetch()) as archive:
        thumbnails = catalogue.decodable_thumbnails(
            archive, frame, most=SHEET, max_file=settings.max_file, max_pixels=settings.max_pixels
        )
    share = len(frame) / max(1, len(files))
    facts: dict[str, dg.RawMetadataValue] = {
        "quarantined": len(frame),
        "files": len(files),
        "share": share,
        "limit": settings.max_quarantine,
    }
    why = None
    if share > settings.max_quarantine:
        worst = frame.iloc[0]
        why = (
            f"{len(frame)} of {len(files)} files are unusable ({share:.1%}), over the limit of "
            f"{settings.max_quarantine:.1%} (GALLERY_MAX_QUARANTINE), so nothing is published. "
            f"The first: {worst['path']}: {worst['reason']}. `gallery lineage FILE` explains any other."
        )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "quarantined": len(frame),
            **found.facts(),
            "share": share,
            "by_reason": markdown_table(("reason", "files", "such as"), kinds),
            "files": markdown_table(
                ("file", "reason"),
                list(frame[["path", "reason"]].head(50).itertuples(index=False, name=None)),
            ),
            **({"thumbnails": picture(contact_sheet(thumbnails))} if thumbnails else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="quarantine_within_limit",
                passed=share <= settings.max_quarantine,
                description=why,
                metadata=facts,
            )
        ],
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[dataset, artworks, quarantine],
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(SAMPLE),
    description="At most GALLERY_PER_ARTIST works of each artist, ranked by a keyed hash, so that new files hardly move it.",
)
@guarded_op
def sample(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Draw the sample."""
    settings = services.settings
    frame = catalogue.draw_sample(
        ARTWORKS.read(services.tables), per_artist=settings.per_artist, key=settings.sample_key
    )
    found = changes(SAMPLE.read_or_none(services.tables), frame, key="id", by=["sha256"])
    digest = SAMPLE.write(services.tables, frame)
    record_run(services.tables, "sample", context.run.run_id)
    per_artist = frame["artist"].value_counts()
    shown = frame.iloc[:: max(1, len(frame) // SHEET)].head(SHEET)
    with closing(services.dataset.fetch()) as archive:
        sheet = contact_sheet([archive.read(path, settings.max_file) for path in shown["file"]])
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
            "contact_sheet": picture(sheet),
        },
    )


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=sample,
    blocking=True,
    description="No artist has more works than the limit, and no work is there twice.",
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
