"""candidate -> live: a new build of the collection, and the moment it becomes the one that is searched."""

import dagster as dg

from gallery.errors import NotFound
from gallery.ports import Ports
from pipelines.assets.catalogue import artists, sample
from pipelines.assets.embeddings import cache, embeddings
from pipelines.assets.pictures import images
from pipelines.assets.reporting import GROUP_COLLECTION, OWNERS
from pipelines.stages.publishing import assemble_works, build_candidate, difference, live_or_none, publish
from pipelines.tables import ARTISTS, ARTWORKS, IMAGES, read_note, write_note


@dg.asset(
    deps=[artists, sample, images, embeddings],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"lancedb"},
    code_version="1",
    description="A complete build of the collection beside the live one. The same content gives the same build, made once.",
)
def candidate(context: dg.AssetExecutionContext, ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Write the build and reconcile it: what the store then holds is exactly what was written."""
    works = assemble_works(ARTISTS.read(ports.tables), ARTWORKS.read(ports.tables), IMAGES.read(ports.tables))
    source = read_note(ports.tables, "dataset")
    made = build_candidate(
        ports.vectors,
        works,
        lambda: cache(ports).vectors([work.sha256 for work in works]),
        ports.encoder,
        dataset=source["address"],
        version=source["version"],
        generated=source["generated"],
    )
    build = made.build
    write_note(ports.tables, "candidate", {"build": build.name, "works": build.works})
    context.log.info(
        f"build {build.name}: {build.works} works, {'found as it was' if made.reused else 'written'}"
    )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(build.name),
        metadata={
            "dagster/row_count": build.works,
            "indexed": build.works,
            "build": build.name,
            "reused": made.reused,
            "encoder": ports.encoder.label,
            "fingerprint": build.fingerprint,
            "store": ports.vectors.address,
        },
    )


@dg.asset_check(
    asset=candidate,
    blocking=True,
    description="The build holds exactly the works of the sample that have pictures.",
)
def candidate_reconciles(ports: dg.ResourceParam[Ports]) -> dg.AssetCheckResult:
    """Compare ids in the store with the tables, afresh."""
    works = assemble_works(ARTISTS.read(ports.tables), ARTWORKS.read(ports.tables), IMAGES.read(ports.tables))
    collection = ports.vectors.open(read_note(ports.tables, "candidate")["build"])
    problem = difference(collection, works)
    return dg.AssetCheckResult(
        passed=not problem,
        metadata={"works": len(works), "stored": collection.count(), "difference": problem or "none"},
    )


@dg.asset(
    deps=[candidate],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"lancedb"},
    code_version="1",
    description="The build that searches go to. The pointer moves at once and whole; older builds beyond GALLERY_KEEP_BUILDS are dropped.",
)
def live(context: dg.AssetExecutionContext, ports: dg.ResourceParam[Ports]) -> dg.MaterializeResult:
    """Publish the candidate. Refuses an incomplete one itself, since this asset can be materialized alone."""
    try:
        name = read_note(ports.tables, "candidate")["build"]
    except NotFound:
        raise NotFound("there is no candidate to publish; materialize `candidate` first") from None
    before = live_or_none(ports.vectors)
    build, dropped = publish(ports.vectors, name, keep=ports.settings.keep_builds)
    context.log.info(
        f"live: {build.name}" + (f", before: {before.name}" if before and before != build else "")
    )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(build.name),
        metadata={
            "dagster/row_count": build.works,
            "build": build.name,
            "before": before.name if before else "none",
            "dropped": ", ".join(dropped) or "none",
            "made_at": build.created_at,
        },
    )
