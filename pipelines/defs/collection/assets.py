"""Assets of the collection: candidate -> (evaluation) -> published_collection -> image_cleanup."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from gallery.models import Artwork
from gallery.services import Services
from pipelines.defs.catalog.assets import artists, sample
from pipelines.defs.collection import manifests
from pipelines.defs.collection.builds import (
    assemble_works,
    build_candidate,
    difference,
    live_or_none,
)
from pipelines.defs.collection.cleanup import delete_unneeded_images
from pipelines.defs.collection.publication import drop_refused, publish_candidate
from pipelines.defs.embeddings.assets import embeddings, vector_cache
from pipelines.defs.evaluation.gate import candidate_name, record_candidate
from pipelines.defs.images.assets import images
from pipelines.records import CandidateRecord, DatasetRecord, record_run
from pipelines.reporting import GROUP_COLLECTION, OWNERS, bars
from pipelines.resources import lock_owner
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import ARTISTS, ARTWORKS, IMAGES, count_changes


def wanted_works(services: Services) -> list[Artwork]:
    """Return the works of the candidate, from the tables."""
    return assemble_works(
        ARTISTS.read(services.tables), ARTWORKS.read(services.tables), IMAGES.read(services.tables)
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[artists, sample, images, embeddings],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"vectors"},
    code_version="2",
    description=(
        "A complete new build of the collection beside the live one. A build with the same content is reused."
    ),
)
@guarded_op
def candidate(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Write the build, and verify that the store contains what was written."""
    tables, store = services.tables, services.vectors
    works = wanted_works(services)
    vectors = vector_cache(services)
    previous, dataset = CandidateRecord.load_or_none(tables), DatasetRecord.load(tables)
    made = build_candidate(
        store,
        works,
        vectors.vectors([work.sha256 for work in works]),
        services.encoder,
        vectors_version=vectors.version,
        dataset=dataset,
        record=lambda name: manifests.save_manifest(tables, store, name, works),
    )
    build = made.build
    manifests.record_dataset(tables, build.name, dataset)
    record_candidate(tables, build.name, build.works, context.run.run_id)
    if previous and drop_refused(store, tables, previous.build, build.name):
        context.log.info(f"dropped build {previous.build}, a candidate that was never live")
    record_run(tables, "candidate", context.run.run_id)
    context.log.info(f"build {build.name}: {build.works} works, {'unchanged' if made.reused else 'written'}")
    live = live_or_none(store)
    now = manifests.load_manifest(tables, store, build.name)
    before = manifests.load_manifest(tables, store, live.name) if live else None
    found = count_changes(before, now, key="id", by=["digest"]) if now is not None else {}
    per_artist = Counter(work.artist.name for work in works)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(build.name),
        metadata={
            "dagster/row_count": build.works,
            "indexed": build.works,
            **found,
            "build": build.name,
            "reused": made.reused,
            "encoder": services.encoder.label,
            "fingerprint": build.fingerprint,
            "store": store.address,
            "live_build": live.name if live else "none",
            "works_per_artist": bars("artist", dict(sorted(per_artist.items()))),
        },
    )


@dg.asset_check(
    pool=REFRESH_POOL,
    asset=candidate,
    blocking=True,
    description="The build has exactly the works of the sample that have images.",
)
@guarded_op
def candidate_is_complete(services: dg.ResourceParam[Services]) -> dg.AssetCheckResult:
    """Compare the ids in the store with the tables."""
    works = wanted_works(services)
    collection = services.vectors.open(candidate_name(services.tables))
    problem = difference(collection, works)
    return dg.AssetCheckResult(
        passed=not problem,
        metadata={"works": len(works), "stored": collection.count(), "difference": problem or "none"},
    )


class PublicationConfig(dg.Config):
    """Whether to publish."""

    dry_run: bool = Field(
        default=False,
        description="Publish nothing and delete nothing. The candidate and its evaluation stay.",
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[candidate, "evaluation"],
    output_required=False,
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"vectors"},
    code_version="2",
    description=(
        "The build that searches use. Publishing moves one pointer; older builds beyond "
        "GALLERY_KEEP_BUILDS are dropped. A candidate that `evaluation` did not pass is refused, even if "
        "this asset is materialized alone. The job `rollback` and `gallery rollback` return to an earlier "
        "build."
    ),
)
@guarded_op
def published_collection(
    context: dg.AssetExecutionContext, config: PublicationConfig, services: dg.ResourceParam[Services]
) -> Iterator[dg.MaterializeResult]:
    """Publish the candidate if its evaluation allows it, since blocking checks work within one run only."""
    if config.dry_run:
        context.log.info(f"dry run: build {candidate_name(services.tables)} is not published")
        return  # Dagster then skips image_cleanup
    tables, store, site_url = services.tables, services.vectors, services.settings.site_url
    published = publish_candidate(
        store,
        tables,
        candidate_name(tables),
        owner=lock_owner(context.run),
        run=context.run.run_id,
        keep=services.settings.keep_builds,
    )
    build, before = published.build, published.before
    record_run(tables, "published_collection", context.run.run_id)
    context.log.info(f"live: {build.name}" + (f", before: {before}" if before and published.moved else ""))
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(build.name),
        metadata={
            "dagster/row_count": build.works,
            "build": build.name,
            "before": before or "none",
            "moved": published.moved,
            "dropped": ", ".join(published.dropped) or "none",
            "made_at": build.created_at,
            "dataset_version": manifests.dataset_of(tables, build).version,
            **({"search_page": dg.MetadataValue.url(site_url)} if site_url else {}),
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
        "The image store without objects that only dropped builds used. Objects are kept for every existing "
        "build, and for works whose file exists but is unusable. In folders, what killed writes left "
        "is deleted after a day."
    ),
)
@guarded_op
def image_cleanup(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Delete the objects that no build needs, according to the manifests."""
    result = delete_unneeded_images(
        services.tables,
        services.images,
        services.vectors,
        workers=services.settings.workers,
        progress=context.log.info,
    )
    record_run(services.tables, "image_cleanup", context.run.run_id)
    leftovers = services.images.remove_leftovers() + services.tables.remove_leftovers()
    if result.obstacle:
        context.log.warning(f"nothing was deleted: {result.obstacle}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(candidate_name(services.tables)),
        metadata={
            "deleted": result.deleted,
            "needed": result.needed,
            "protected": result.protected,
            "leftovers": leftovers,
            "obstacle": result.obstacle or "none",
            "store": services.images.address,
        },
    )
