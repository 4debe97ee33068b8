"""Assets of the catalogue: raw_dataset -> artists -> (scanned_files) -> artworks -> quarantine, sample."""

from contextlib import closing
from pathlib import PurePosixPath

import dagster as dg
import pandas as pd

from gallery.datasets.base import ARTISTS_CSV
from gallery.errors import Corrupted
from gallery.services import Services
from pipelines.defs.catalog.archive import fetch_listed
from pipelines.defs.catalog.artists import artists_digest, read_artists
from pipelines.defs.catalog.artists_csv import MAX_PROBLEMS
from pipelines.defs.catalog.files import SAME_PIXELS, classify_files, quarantined
from pipelines.defs.catalog.removals import (
    describe_lost_facts,
    describe_removed_works,
    lost_facts,
    removed_works,
)
from pipelines.defs.catalog.sampling import draw_sample
from pipelines.defs.catalog.scan import list_files
from pipelines.defs.collection.builds import artists_by_slug
from pipelines.defs.collection.manifests import live_works
from pipelines.defs.images.storage import SHEET_IMAGES, contact_sheet, stored_sheet, thumbnail_key
from pipelines.records import DatasetRecord
from pipelines.reporting import (
    CATALOG_ASSET,
    asset_key,
    bars,
    columns,
    decoration,
    markdown_table,
    save_table,
)
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import ARTISTS, ARTWORKS, CONTENTS, FILES, QUARANTINE, SAMPLE, SNAPSHOT, build_table

SHOWN_FILES = 50
"""Rejected files listed on the page of `quarantine`."""


@dg.asset(
    **CATALOG_ASSET | {"kinds": {"file"}},
    deps=[asset_key("source_dataset")],
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
    dataset, tables = services.dataset, services.tables
    version = dataset.version()
    context.log.info(f"{dataset.address}, version {version}")
    with closing(dataset.fetch(context.log.info)) as archive:
        snapshot = list_files(archive)
        csv_digest = artists_digest(archive)  # artists.csv is not in the snapshot, which lists images
    DatasetRecord(address=dataset.address, version=version, generated=dataset.generated).save(tables)
    return save_table(
        context,
        tables,
        SNAPSHOT,
        snapshot,
        asset="raw_dataset",
        key="path",
        by=["signature"],
        version_suffix=f"-{csv_digest}",
        metadata={
            "version": version,
            "address": dataset.address,
            "generated": dataset.generated,
            "files": len(snapshot),
            "megabytes": round(float(snapshot["size"].sum()) / 1e6, 1),
        },
    )


@dg.asset(
    **CATALOG_ASSET,
    deps=[raw_dataset],
    code_version="1",
    metadata=columns(ARTISTS),
    description=(
        "Artists from artists.csv: cleaned names, years as numbers, styles and nationalities as lists, a "
        "short biography."
    ),
)
@guarded_op
def artists(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Read the artists and match each with its folders, however those are spelled."""
    with closing(fetch_listed(services)) as archive:
        cleaned = read_artists(archive, SNAPSHOT.read(services.tables), services.dataset.address)
    frame = cleaned.artists
    for problem in cleaned.problems[:MAX_PROBLEMS]:
        context.log.warning(f"{ARTISTS_CSV}: {problem}")
    respelled = [
        (folder, row["name"], row["slug"])
        for row in frame.to_dict("records")
        for folder in row["folders"]
        if folder.replace("_", " ") != row["name"]
    ]
    return save_table(
        context,
        services.tables,
        ARTISTS,
        frame,
        asset="artists",
        key="slug",
        by=list(ARTISTS.columns),
        metadata={
            "artists": len(frame),
            "without_files": int((frame["files"] == 0).sum()),
            "without_years": int(frame["birth"].isna().sum()),
            "csv_problems": len(cleaned.problems),
            "csv_problems_list": markdown_table(
                ("problem in artists.csv",),
                [(problem,) for problem in cleaned.problems[:MAX_PROBLEMS]],
            ),
            "spelled_differently": markdown_table(("folder", "artist", "slug"), respelled),
        },
    )


@dg.asset(
    **CATALOG_ASSET,
    deps=["scanned_files", artists],
    code_version="3",
    metadata=columns(ARTWORKS),
    check_specs=[
        dg.AssetCheckSpec(
            "removals_within_limit",
            asset="artworks",
            blocking=True,
            description=(
                "The share of live works missing from the dataset is within GALLERY_MAX_REMOVED. "
                "`gallery refresh --allow-removals`, or `max_removed: 1` in the launchpad, allows more once."
            ),
        ),
        dg.AssetCheckSpec(
            "facts_within_limit",
            asset="artworks",
            blocking=True,
            description=(
                "The shares of live artists who have lost years, styles, nationalities, bio or link are "
                "within GALLERY_MAX_REMOVED. `gallery refresh --allow-removals` allows more once."
            ),
        ),
    ],
    description="One row per work. The table `files` has every file: kept, duplicate, or quarantined.",
)
@guarded_op
def artworks(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Classify the files, and compare the works with the live build."""
    tables = services.tables
    known = ARTISTS.read(tables)
    files, works = classify_files(CONTENTS.read(tables), known)
    FILES.write(tables, files)
    status = files["status"].value_counts()
    same_image = files[files["reason"].str.startswith(SAME_PIXELS)]
    try:
        live = live_works(services.vectors, tables)
    except Corrupted as error:
        if services.settings.max_removed < 1:
            raise
        context.log.warning(str(error))
        live = build_table("", "").frame([])
    return save_table(
        context,
        tables,
        ARTWORKS,
        works,
        asset="artworks",
        key="id",
        by=["artist", "file", "sha256"],
        metadata={
            "artists": int(works["artist"].nunique()),
            "files": len(files),
            "works": int(status.get("kept", 0)),
            "duplicates": int(status.get("duplicate", 0)),
            "quarantined": int(status.get("quarantined", 0)),
            "same_image_in_other_files": markdown_table(
                ("file", "reason"),
                list(same_image[["path", "reason"]].head(50).itertuples(index=False, name=None)),
            ),
        },
        check_results=[
            _removals(services, live, set(works["id"]), files),
            _facts(services, live, known),
        ],
    )


def _removals(
    services: Services, live: pd.DataFrame, works: set[str], files: pd.DataFrame
) -> dg.AssetCheckResult:
    """Check how many live works are missing.

    The live build stays as it is, so the next run checks the same.
    """
    limit = services.settings.max_removed
    gone, duplicates = removed_works(live, works, files)
    share = len(gone) / max(1, len(live))
    within = share <= limit
    return dg.AssetCheckResult(
        check_name="removals_within_limit",
        passed=within,
        description=None if within else describe_removed_works(len(gone), len(live), duplicates, limit),
        metadata={
            "live": len(live),
            "gone": len(gone),
            "duplicates_now": duplicates,
            "share": share,
            "limit": limit,
        },
    )


def _facts(services: Services, live: pd.DataFrame, known: pd.DataFrame) -> dg.AssetCheckResult:
    """Check which facts about the live artists are missing."""
    limit = services.settings.max_removed
    problems = lost_facts(live, artists_by_slug(known), limit)
    return dg.AssetCheckResult(
        check_name="facts_within_limit",
        passed=not problems,
        description=describe_lost_facts(problems, limit) if problems else None,
        metadata={"lost": "; ".join(problems) or "none", "limit": limit},
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
    snapshot, files, works = (table.read(services.tables) for table in (SNAPSHOT, FILES, ARTWORKS))
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
    **CATALOG_ASSET,
    deps=[artworks],
    code_version="1",
    metadata=columns(QUARANTINE),
    check_specs=[
        dg.AssetCheckSpec(
            "quarantine_within_limit",
            asset="quarantine",
            blocking=True,
            description="The share of unusable files is within GALLERY_MAX_QUARANTINE.",
        )
    ],
    description="Rejected files, with reasons. `gallery lineage FILE` explains one of them.",
)
@guarded_op
def quarantine(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """List the rejected files by reason, with previews of those that are images."""
    limit, tables = services.settings.max_quarantine, services.tables
    files, contents = FILES.read(tables), CONTENTS.read(tables)
    frame = quarantined(files)
    kinds = [
        (kind, len(group), PurePosixPath(group.iloc[0]["path"]).name)
        for kind, group in sorted(frame.groupby("kind"), key=lambda item: -len(item[1]))
    ]
    rejected = contents[contents["path"].isin(frame["path"])]["preview"]
    previews = [preview for preview in rejected if preview][:SHEET_IMAGES]
    share = len(frame) / max(1, len(files))
    problem = None
    if share > limit:
        first = frame.iloc[0]
        problem = (
            f"{len(frame)} of {len(files)} files are unusable ({share:.1%}), over the limit of {limit:.1%} "
            f"(GALLERY_MAX_QUARANTINE), so nothing is published. The first is {first['path']}: "
            f"{first['reason']}. Run `gallery lineage FILE` for any other."
        )
    return save_table(
        context,
        tables,
        QUARANTINE,
        frame,
        asset="quarantine",
        key="path",
        by=["sha256", "reason"],
        metadata={
            "quarantined": len(frame),
            "share": share,
            "by_reason": markdown_table(("reason", "files", "such as"), kinds),
            "files": markdown_table(
                ("file", "reason"),
                [
                    (" / ".join(PurePosixPath(row["path"]).parts[-2:]), row["reason"])
                    for row in frame.head(SHOWN_FILES).to_dict("records")
                ],
            ),
            **(decoration("thumbnails", lambda: contact_sheet(previews)) if previews else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="quarantine_within_limit",
                passed=share <= limit,
                description=problem,
                metadata={
                    "quarantined": len(frame),
                    "files": len(files),
                    "share": share,
                    "limit": limit,
                },
            )
        ],
    )


@dg.asset(
    **CATALOG_ASSET,
    deps=[artworks, quarantine],
    code_version="1",
    metadata=columns(SAMPLE),
    description=(
        "At most GALLERY_PER_ARTIST works of each artist: those with the lowest keyed hashes, so that new "
        "files hardly change the sample."
    ),
)
@guarded_op
def sample(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Draw the sample."""
    settings, tables = services.settings, services.tables
    frame = draw_sample(ARTWORKS.read(tables), per_artist=settings.per_artist, key=settings.sample_key)
    per_artist = frame["artist"].value_counts()
    shown = frame.iloc[:: max(1, len(frame) // SHEET_IMAGES)].head(SHEET_IMAGES)
    keys = [thumbnail_key(sha256, settings.thumb_small) for sha256 in shown["sha256"]]
    works_per_artist = {str(slug): int(count) for slug, count in per_artist.sort_index().items()}
    return save_table(
        context,
        tables,
        SAMPLE,
        frame,
        asset="sample",
        key="id",
        by=["sha256"],
        metadata={
            "sampled": len(frame),
            "artists": len(per_artist),
            "artists_below_the_limit": int((per_artist < settings.per_artist).sum()),
            "works_per_artist": bars("artist", works_per_artist),
            **decoration("contact_sheet", lambda: stored_sheet(tables, services.images, "sample", keys)),
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
