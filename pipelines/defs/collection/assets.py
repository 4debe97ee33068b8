"""candidate -> (evaluation) -> published_collection -> image_cleanup: a new build of the collection, and the moment it becomes the one searched."""

import dagster as dg

from gallery.models import Artwork
from gallery.services import Services
from pipelines import lock
from pipelines.changes import changes
from pipelines.defs.catalog.assets import artists, sample
from pipelines.defs.collection import manifests as history
from pipelines.defs.collection.builds import (
    assemble_works,
    build_candidate,
    difference,
    drop_refused,
    live_or_none,
    prune,
    publish,
)
from pipelines.defs.collection.cleanup import sweep
from pipelines.defs.embeddings.assets import cache, embeddings
from pipelines.defs.evaluation.gate import candidate_name, check_gate, record_candidate
from pipelines.defs.images.assets import images
from pipelines.reporting import GROUP_COLLECTION, OWNERS, bars, search_page
from pipelines.resources import lock_owner
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import ARTISTS, ARTWORKS, IMAGES, note_or_none, read_note, record_run


def wanted_works(services: Services) -> list[Artwork]:
    """The works that the candidate is made of, by the tables."""
    return assemble_works(
        ARTISTS.read(services.tables), ARTWORKS.read(services.tables), IMAGES.read(services.tables)
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[artists, sample, images, embeddings],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"vectors"},
    code_version="1",
    description="A complete build of the collection beside the live one. The same content gives the same build, made once.",
)
@guarded_op
def candidate(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Write the build and reconcile it: what the store then holds is exactly what was written."""
    tables, store = services.tables, services.vectors
    works = wanted_works(services)
    source = read_note(tables, "dataset")
    last = note_or_none(tables, "candidate")
    made = build_candidate(
        store,
        works,
        lambda: cache(services).vectors([work.sha256 for work in works]),
        services.encoder,
        dataset=source["address"],
        version=source["version"],
        generated=source["generated"],
        record=lambda name: history.record(tables, store, name, works),
    )
    build = made.build
    record_candidate(tables, build.name, build.works, context.run.run_id)
    if last and drop_refused(store, last["build"], build.name, history.was_live(tables)):
        context.log.info(f"dropped build {last['build']}, a candidate that was never live")
    record_run(tables, "candidate", context.run.run_id)
    context.log.info(
        f"build {build.name}: {build.works} works, {'found as it was' if made.reused else 'written'}"
    )
    live = live_or_none(store)
    now = history.load_manifest(tables, store, build.name)
    before = history.load_manifest(tables, store, live.name) if live else None
    found = changes(before, now, key="id", by=["digest"]) if now is not None else None
    per_artist: dict[str, int] = {}
    for work in works:
        per_artist[work.artist.name] = per_artist.get(work.artist.name, 0) + 1
    return dg.MaterializeResult(
        data_version=dg.DataVersion(build.name),
        metadata={
            "dagster/row_count": build.works,
            "indexed": build.works,
            **(found.facts() if found else {}),
            "build": build.name,
            "reused": made.reused,
            "encoder": services.encoder.label,
            "fingerprint": build.fingerprint,
            "store": store.address,
            "beside": live.name if live else "none",
            "works_per_artist": bars("artist", dict(sorted(per_artist.items()))),
        },
    )


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=candidate,
    blocking=True,
    description="The build holds exactly the works of the sample that have pictures.",
)
@guarded_op
def candidate_reconciles(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """Compare ids in the store with the tables, afresh."""
    works = wanted_works(services)
    collection = services.vectors.open(candidate_name(services.tables))
    problem = difference(collection, works)
    return dg.AssetCheckResult(
        passed=not problem,
        metadata={"works": len(works), "stored": collection.count(), "difference": problem or "none"},
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[candidate, "evaluation"],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"vectors"},
    code_version="2",
    description=(
        "The build that searches go to. The pointer moves at once and whole; older builds beyond GALLERY_KEEP_BUILDS are "
        "dropped. Refuses a candidate that `evaluation` did not let through, also when materialized alone. "
        "The job `rollback` and `gallery rollback` move it back."
    ),
)
@guarded_op
def published_collection(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Publish the candidate, if the verdict on it lets it through: blocking checks hold in their own run only."""
    name = candidate_name(services.tables)
    before = live_or_none(services.vectors)
    check_gate(services.tables, name, before.name if before else "")
    lock.check(services.tables, lock_owner(context.run))  # the gate may have taken a while
    build = publish(services.vectors, name)
    moved = before is None or before.name != build.name
    # What stands last in the notes is what is live; a run that was cut off between the two is made good here.
    if history.was_live(services.tables)[:1] != [build.name]:
        history.record_publication(
            services.tables,
            build.name,
            before.name if before and moved else "",
            "refresh",
            context.run.run_id,
        )
    dropped = prune(
        services.vectors, keep=services.settings.keep_builds, were_live=history.was_live(services.tables)
    )
    record_run(services.tables, "published_collection", context.run.run_id)
    context.log.info(f"live: {build.name}" + (f", before: {before.name}" if before and moved else ""))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(build.name),
        metadata={
            "dagster/row_count": build.works,
            "build": build.name,
            "before": before.name if before else "none",
            "moved": moved,
            "dropped": ", ".join(dropped) or "none",
            "made_at": build.created_at,
            "dataset_version": build.version,
            **search_page(services.settings.site_url),
        },
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[published_collection],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"webp"},
    code_version="1",
    description=(
        "The image store without what only dropped builds referred to. Objects of a kept build stay, and those of works "
        "whose file is still there but cannot be used: what was not seen to be gone is not deleted."
    ),
)
@guarded_op
def image_cleanup(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Delete what the records of builds say that nobody needs any more."""
    found = sweep(
        services.tables,
        services.images,
        services.vectors,
        workers=services.settings.workers,
        progress=context.log.info,
    )
    record_run(services.tables, "image_cleanup", context.run.run_id)
    if found.obstacle:
        context.log.warning(f"nothing was deleted: {found.obstacle}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(candidate_name(services.tables)),
        metadata={
            "deleted": found.deleted,
            "kept": found.kept,
            "spared": found.spared,
            "obstacle": found.obstacle or "none",
            "store": services.images.address,
        },
    )
