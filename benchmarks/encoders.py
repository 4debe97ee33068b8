"""Measure an encoder on a zip archive in the Kaggle layout (images/images/<Artist>/<File>.jpg).

    python benchmarks/encoders.py ARCHIVE --encoder offline --sheet sheet.png

Prints images per second, the share of images whose nearest neighbour is by the same artist, and the share of
modified copies that find their original. --sheet saves the best results of some text queries as an image.
"""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

import click
import numpy as np
from PIL import Image, ImageDraw

from gallery.encoders.base import Encoder, Vectors
from gallery.encoders.opening import open_encoder
from gallery.errors import GalleryError

QUERIES = (
    "sailing boats on the sea",
    "a mother and child",
    "flowers in a vase",
    "horses",
    "a portrait of a woman with a hat",
    "a church",
    "mountains in the snow",
    "a bridge over a river",
    "dancers",
    "a crucifixion",
    "abstract geometric shapes",
    "a dog",
)
SHEET_RESULTS = 8
THUMBNAIL_SIDE = 150
BATCH_IMAGES = 32
DECODED_SIDE = 640
"""Longer side of a decoded image, in pixels; no encoder here uses more."""


@dataclass(frozen=True)
class SourceImage:
    """An image of the archive and its artist."""

    artist: str
    image: Image.Image


@dataclass(frozen=True)
class EncodedImages:
    """Vectors of the images and of their modified copies, in the same order, with artists and thumbnails."""

    rows: Vectors
    copies: Vectors
    artists: np.ndarray
    thumbnails: list[Image.Image]
    seconds: float


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--encoder", "address", default="offline", show_default=True, help="The encoder's address.")
@click.option(
    "--limit", type=click.IntRange(min=10), help="Number of images to use, spread over the archive."
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG file for the results of the text queries.",
)
@click.option(
    "--query",
    "queries",
    multiple=True,
    help="Use this text query instead of the usual twelve; can be repeated.",
)
def main(
    archive: Path, address: str, limit: int | None, sheet: Path | None, queries: tuple[str, ...]
) -> None:
    """Measure an encoder on the images of ARCHIVE."""
    try:
        encoder = open_encoder(address)
        started = time.perf_counter()
        encoder.load()
    except GalleryError as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(f"{encoder.label}, {encoder.dim} floats, loaded in {time.perf_counter() - started:.1f} s")

    encoded = measure(encoder, archive, limit)
    n = len(encoded.rows)
    share, chance = same_artist(encoder, encoded)
    click.echo(f"{n} images by {len(set(encoded.artists))} artists, {n / encoded.seconds:.1f} per second")
    click.echo(f"nearest neighbour is by the same artist: {share:.1%} (chance {chance:.1%})")
    click.echo(f"modified copies that find their original in the top 5: {copies_found(encoder, encoded):.1%}")
    if sheet:
        draw_sheet(encoder, encoded, queries or QUERIES).save(sheet)
        click.echo(f"results of the text queries: {sheet}")


def measure(encoder: Encoder, archive: Path, limit: int | None) -> EncodedImages:
    rows, copies, artists, thumbnails = [], [], [], []
    seconds = 0.0
    sources = read_images(archive, limit)
    while batch := list(islice(sources, BATCH_IMAGES)):
        images = [source.image for source in batch]
        started = time.perf_counter()
        rows.append(encoder.embed_images(images))
        seconds += time.perf_counter() - started
        copies.append(encoder.embed_images([modified(image) for image in images]))
        artists += [source.artist for source in batch]
        for image in images:
            image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        thumbnails += images
    if not rows:
        raise click.ClickException(f"{archive} contains no images/images/<Artist>/<File>.jpg")
    return EncodedImages(np.concatenate(rows), np.concatenate(copies), np.array(artists), thumbnails, seconds)


def read_images(archive: Path, limit: int | None) -> Iterator[SourceImage]:
    """Yield the images of the archive, RGB. Files with the same bytes are read once."""
    seen = set()
    with zipfile.ZipFile(archive) as bundle:
        names = [
            name
            for name in bundle.namelist()
            if name.startswith("images/images/") and name.endswith(".jpg") and name.count("/") == 3
        ]
        if limit and limit < len(names):
            names = [names[index] for index in np.linspace(0, len(names) - 1, limit).astype(int)]
        for name in names:
            content = bundle.read(name)
            digest = hashlib.sha256(content).digest()
            if digest in seen:
                continue
            seen.add(digest)
            file = Image.open(io.BytesIO(content))
            file.draft("RGB", (DECODED_SIDE, DECODED_SIDE))
            image = file.convert("RGB")
            image.thumbnail((DECODED_SIDE, DECODED_SIDE))
            yield SourceImage(PurePosixPath(name).parent.name, image)


def modified(image: Image.Image) -> Image.Image:
    """Crop a tenth off each side, shrink to 200 pixels, and save as a JPEG of quality 40."""
    width, height = image.size
    copy = image.crop((width // 10, height // 10, width - width // 10, height - height // 10))
    copy.thumbnail((200, 200))
    stream = io.BytesIO()
    copy.save(stream, "JPEG", quality=40)
    return Image.open(stream).convert("RGB")


def same_artist(encoder: Encoder, encoded: EncodedImages) -> tuple[float, float]:
    """Return how often the nearest other image is by the same artist, and how often a random one would be."""
    scores = encoder.as_query(encoded.rows) @ encoded.rows.T
    np.fill_diagonal(scores, -np.inf)
    same = encoded.artists[:, None] == encoded.artists
    n = len(same)
    return float(same[np.arange(n), scores.argmax(axis=1)].mean()), float((same.sum() - n) / (n * (n - 1)))


def copies_found(encoder: Encoder, encoded: EncodedImages) -> float:
    """Return how often the original is among the five nearest images of a modified copy."""
    scores = encoder.as_query(encoded.copies) @ encoded.rows.T
    better = (scores > np.diag(scores)[:, None]).sum(axis=1)
    return float((better < 5).mean())


def draw_sheet(encoder: Encoder, encoded: EncodedImages, queries: tuple[str, ...]) -> Image.Image:
    """Return an image with a row of thumbnails per query, best first."""
    scores = encoder.embed_texts(queries) @ encoded.rows.T
    height = THUMBNAIL_SIDE + 18
    sheet = Image.new("RGB", (SHEET_RESULTS * THUMBNAIL_SIDE, len(queries) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (query, found) in enumerate(zip(queries, scores, strict=True)):
        best = np.argsort(-found)[:SHEET_RESULTS]
        span = f"{found[best[0]] / encoder.best_score:.2f} to {found[best[-1]] / encoder.best_score:.2f}"
        draw.text((4, row * height + 2), f"{query}   ({span} of a perfect score)", fill="black")
        for column, index in enumerate(best):
            sheet.paste(encoded.thumbnails[index], (column * THUMBNAIL_SIDE, row * height + 16))
    return sheet


if __name__ == "__main__":
    main()
