"""Where each asset is stored and programmed, and the ends of the graph: the dataset and the search page."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType

import dagster as dg

from gallery.settings import Settings
from pipelines.reporting import GROUP_CATALOG, GROUP_COLLECTION, OWNERS, asset_key
from pipelines.tables import ARTISTS, ARTWORKS, CONTENTS, EVALUATION, QUARANTINE, SAMPLE, SNAPSHOT

URI = "dagster/uri"
"""Metadata that the UI shows as the location of an asset."""
CODE = "dagster/code_references"
LOCATIONS = {
    "raw_dataset": ("tables", SNAPSHOT.key),
    "artists": ("tables", ARTISTS.key),
    "scanned_files": ("tables", CONTENTS.key),
    "artworks": ("tables", ARTWORKS.key),
    "quarantine": ("tables", QUARANTINE.key),
    "sample": ("tables", SAMPLE.key),
    "images": ("images", ""),
    "embeddings": ("tables", "embeddings/"),
    "candidate": ("vectors", ""),
    "evaluation": ("tables", EVALUATION.key),
    "published_collection": ("vectors", ""),
    "image_cleanup": ("images", ""),
    "similarity_map": ("images", "maps/"),
}
"""Asset -> the setting with the address of its store, and the key in the store ("" for all of it)."""
DATASET_KINDS = {"kaggle": "kaggle", "file": "file", "sample": "python"}
"""Scheme of the dataset's address -> the kind of `source_dataset`."""


def location(settings: Settings, asset: str) -> str:
    """Return the address of an asset without the options of the store, such as gs://bucket/artists.parquet."""
    setting, key = LOCATIONS[asset]
    store = settings.address(setting).partition("?")[0]
    return f"{store.rstrip('/')}/{key}" if key else store


def code_references(modules: Sequence[ModuleType]) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Return file and line of each asset of the modules.

    `dg.with_source_code_references` would name the decorator `guarded_op` instead of the asset.
    """
    references = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        for module in modules:
            for number, line in enumerate(inspect.getsource(module).splitlines(), 1):
                name = line.partition("(")[0].removeprefix("def ")
                if line.startswith("def ") and isinstance(getattr(module, name), dg.AssetsDefinition):
                    file = dg.LocalFileCodeReference(file_path=str(module.__file__), line_number=number)
                    references[name] = dg.CodeReferencesMetadataValue(code_references=[file])
    return references


def add_location(settings: Settings, modules: Sequence[ModuleType]) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Return a function that adds where an asset is stored and programmed to its metadata."""
    references = code_references(modules)

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.path[-1]
        return spec.merge_attributes(
            metadata={URI: location(settings, name), CODE: references[name]},
        )

    return apply


def external_assets(settings: Settings) -> list[dg.AssetSpec]:
    """Return the assets that other systems have: the dataset before the graph, and the page after it."""
    scheme = settings.dataset.partition(":")[0]
    page = {URI: settings.site_url} if settings.site_url else {}
    return [
        dg.AssetSpec(
            asset_key("source_dataset"),
            group_name=GROUP_CATALOG,
            owners=OWNERS,
            kinds={DATASET_KINDS.get(scheme, scheme)},
            metadata={URI: settings.address("dataset")},
            description="The dataset at GALLERY_DATASET. The sensor `new_dataset_version` watches it.",
        ),
        dg.AssetSpec(
            asset_key("search_page"),
            deps=[asset_key("published_collection"), asset_key("similarity_map")],
            group_name=GROUP_COLLECTION,
            owners=OWNERS,
            kinds={"flask"},
            metadata=page,
            description="The pages and the API of `gallery serve`, which show a published build at once.",
        ),
    ]
