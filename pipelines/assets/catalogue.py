"""dataset -> artists -> artworks -> sample: from an archive to the works that go into the collection."""

from contextlib import closing

import dagster as dg

from gallery.errors import Invalid, NotFound
from gallery.ports import Ports
from pipelines.assets.reporting import GROUP_CATALOGUE, OWNERS, columns, markdown_table, picture
from pipelines.stages import catalogue
from pipelines.stages.pictures import contact_sheet
from pipelines.tables import ARTISTS, ARTWORKS, FILES, LOOKS, SAMPLE, SNAPSHOT, write_note

SHEET = 50
"""Pictures on a contact sheet."""


@dg.asset(
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"file"},
    code_version="1",
    metadata=columns(SNAPSHOT),
    description="The archive, fetched and read through once: every file with its size and SHA-256, and the dataset's version.",
)
def dataset(context: dg.AssetExecutionContext, ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Fetch the dataset and list what is in it. Nothing is fetched again while its version stays."""
    settings = ports.settings
    version = ports.dataset.version()
    context.log.info(f"{ports.dataset.address}, version {version}")
    with closing(ports.dataset.fetch(context.log.info)) as archive:
        snapshot = catalogue.take_snapshot(
            archive, max_file=settings.max_file, workers=settings.workers, say=context.log.info
        )
    digest = SNAPSHOT.write(ports.tables, snapshot)
    write_note(
        ports.tables,
        "dataset",
        {"address": ports.dataset.address, "version": version, "generated": ports.dataset.generated},
    )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(snapshot),
            "version": version,
            "address": ports.dataset.address,
            "generated": ports.dataset.generated,
            "files": len(snapshot),
            "unreadable": int((snapshot["fault"] != "").sum()),
            "megabytes": float(snapshot["size"].sum()) / 1e6,
        },
    )


@dg.asset(
    deps=[dataset],
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(ARTISTS),
    description="The painters of artists.csv: names repaired, years as numbers, genres and nationalities as lists, a short bio.",
)
def artists(ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Read the artists and find each one's folders, however those are spelled."""
    with closing(ports.dataset.fetch()) as archive:
        frame = catalogue.read_artists(archive, SNAPSHOT.read(ports.tables), ports.dataset.address)
    digest = ARTISTS.write(ports.tables, frame)
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
            "without_files": int((frame["files"] == 0).sum()),
            "without_years": int(frame["birth"].isna().sum()),
            "spelled_otherwise": markdown_table(("folder", "artist", "slug"), respelled),
        },
    )


@dg.asset(
    deps=[dataset, artists],
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(ARTWORKS),
    description="One row a picture. Every file of the archive ends as kept, duplicate or quarantined with a reason (table `files`).",
)
def artworks(context: dg.AssetExecutionContext, ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Decode each new file once, and sort all of them. Fails past GALLERY_MAX_QUARANTINE, the table written all the same."""
    settings = ports.settings
    snapshot = SNAPSHOT.read(ports.tables)
    try:
        known = LOOKS.read(ports.tables)
    except (NotFound, Invalid):
        known = LOOKS.frame([])  # only a cache: the first run has none
    with closing(ports.dataset.fetch()) as archive:
        looks = catalogue.look_at_files(
            archive,
            snapshot,
            known,
            max_file=settings.max_file,
            max_pixels=settings.max_pixels,
            workers=settings.workers,
            say=context.log.info,
        )
    LOOKS.write(ports.tables, looks)
    files, works = catalogue.sort_files(snapshot, ARTISTS.read(ports.tables), looks)
    FILES.write(ports.tables, files)
    digest = ARTWORKS.write(ports.tables, works)

    status = files["status"].value_counts()
    quarantined = files[files["status"] == "quarantined"]
    share = len(quarantined) / max(1, len(files))
    if share > settings.max_quarantine:
        worst = quarantined.iloc[0]
        raise Invalid(
            f"{len(quarantined)} of {len(files)} files are unusable ({share:.1%}), over the limit of "
            f"{settings.max_quarantine:.1%} (GALLERY_MAX_QUARANTINE), so nothing is published. "
            f"The first: {worst['path']}: {worst['reason']}. `gallery why FILE` explains any other."
        )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(works),
            "artists": int(works["artist"].nunique()),
            "files": len(files),
            "works": int(status.get("kept", 0)),
            "duplicates": int(status.get("duplicate", 0)),
            "quarantined": len(quarantined),
            "quarantine": markdown_table(
                ("file", "reason"),
                list(quarantined[["path", "reason"]].head(50).itertuples(index=False, name=None)),
            ),
        },
    )


@dg.asset_check(
    asset=artworks,
    blocking=True,
    description="Each file is in exactly one place, and each kept one is a work.",
)
def every_file_accounted_for(ports: dg.ResourceParam[Ports]) -> dg.AssetCheckResult:
    """Compare the archive's list with the sorted files and the works."""
    snapshot, files, works = (
        SNAPSHOT.read(ports.tables),
        FILES.read(ports.tables),
        ARTWORKS.read(ports.tables),
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
    deps=[dataset, artworks],
    group_name=GROUP_CATALOGUE,
    owners=OWNERS,
    kinds={"pandas", "parquet"},
    code_version="1",
    metadata=columns(SAMPLE),
    description="At most GALLERY_PER_ARTIST works of each artist, ranked by a keyed hash, so that new files hardly move it.",
)
def sample(ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Draw the sample."""
    settings = ports.settings
    frame = catalogue.draw_sample(
        ARTWORKS.read(ports.tables), per_artist=settings.per_artist, key=settings.sample_key
    )
    digest = SAMPLE.write(ports.tables, frame)
    per_artist = frame["artist"].value_counts()
    shown = frame.iloc[:: max(1, len(frame) // SHEET)].head(SHEET)
    with closing(ports.dataset.fetch()) as archive:
        sheet = contact_sheet([archive.read(path, settings.max_file) for path in shown["file"]])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "dagster/row_count": len(frame),
            "sampled": len(frame),
            "artists": len(per_artist),
            "artists_below_the_limit": int((per_artist < settings.per_artist).sum()),
            "contact_sheet": picture(sheet),
        },
    )


@dg.asset_check(
    asset=sample,
    blocking=True,
    description="No artist has more works than the limit, and no work is there twice.",
)
def sample_within_limits(ports: dg.ResourceParam[Ports]) -> dg.AssetCheckResult:
    """Count the works of each artist."""
    frame = SAMPLE.read(ports.tables)
    most = int(frame["artist"].value_counts().max()) if len(frame) else 0
    passed = 0 < most <= ports.settings.per_artist and frame["id"].is_unique
    return dg.AssetCheckResult(
        passed=bool(passed),
        metadata={"most_by_one_artist": most, "limit": ports.settings.per_artist, "works": len(frame)},
    )
