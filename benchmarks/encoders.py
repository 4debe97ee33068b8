"""Measures an encoder on an archive of paintings in the Kaggle layout (images/images/<Artist>/<File>.jpg).

    python benchmarks/encoders.py ARCHIVE --encoder offline --sheet sheet.png

Prints pictures a second, how often a picture's nearest neighbour is by the same artist, and how often a cropped,
shrunk and recompressed copy finds its original; paints the best eight of each text query for the eye.
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

from gallery.encoders import Encoder, Vectors, open_encoder
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
BEST = 8
THUMBNAIL = 150
BATCH = 32
DECODED = 640  # pixels of the longer side, plenty for any encoder here


@dataclass(frozen=True)
class Painting:
    artist: str
    image: Image.Image


@dataclass(frozen=True)
class Measured:
    """Rows of the paintings and of their altered copies, in one order, with the artists and small pictures."""

    rows: Vectors
    copies: Vectors
    artists: np.ndarray
    thumbnails: list[Image.Image]
    seconds: float


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--encoder", "address", default="offline", show_default=True, help="The encoder's address.")
@click.option(
    "--limit", type=click.IntRange(min=10), help="Use only so many paintings, spread over the archive."
)
@click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the results, a PNG."
)
@click.option(
    "--query", "queries", multiple=True, help="A text query in place of the usual twelve; repeatable."
)
def main(
    archive: Path, address: str, limit: int | None, sheet: Path | None, queries: tuple[str, ...]
) -> None:
    """Measure the encoder at an address on an ARCHIVE of paintings."""
    try:
        encoder = open_encoder(address)
        started = time.perf_counter()
        encoder.load()
    except GalleryError as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(f"{encoder.label}, {encoder.dim} floats, loaded in {time.perf_counter() - started:.1f} s")

    measured = measure(encoder, archive, limit)
    n = len(measured.rows)
    share, chance = same_artist(encoder, measured)
    click.echo(f"{n} paintings of {len(set(measured.artists))} artists, {n / measured.seconds:.1f} a second")
    click.echo(f"nearest neighbour by the same artist: {share:.1%} (chance {chance:.1%})")
    click.echo(f"altered copy finds its original in the top 5: {copies_found(encoder, measured):.1%}")
    if sheet:
        paint_sheet(encoder, measured, queries or QUERIES).save(sheet)
        click.echo(f"results of the text queries: {sheet}")


def measure(encoder: Encoder, archive: Path, limit: int | None) -> Measured:
    rows, copies, artists, thumbnails = [], [], [], []
    seconds = 0.0
    paintings = read_paintings(archive, limit)
    while batch := list(islice(paintings, BATCH)):
        images = [painting.image for painting in batch]
        started = time.perf_counter()
        rows.append(encoder.embed_images(images))
        seconds += time.perf_counter() - started
        copies.append(encoder.embed_images([altered(image) for image in images]))
        artists += [painting.artist for painting in batch]
        for image in images:
            image.thumbnail((THUMBNAIL, THUMBNAIL))
        thumbnails += images
    if not rows:
        raise click.ClickException(f"{archive} holds no images/images/<Artist>/<File>.jpg.")
    return Measured(np.concatenate(rows), np.concatenate(copies), np.array(artists), thumbnails, seconds)


def read_paintings(archive: Path, limit: int | None) -> Iterator[Painting]:
    """The archive's paintings, each file's bytes once, decoded and RGB."""
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
            file.draft("RGB", (DECODED, DECODED))
            image = file.convert("RGB")
            image.thumbnail((DECODED, DECODED))
            yield Painting(PurePosixPath(name).parent.name, image)


def altered(image: Image.Image) -> Image.Image:
    """The picture less a tenth at each side, at 200 pixels, as a JPEG of quality 40."""
    width, height = image.size
    copy = image.crop((width // 10, height // 10, width - width // 10, height - height // 10))
    copy.thumbnail((200, 200))
    stream = io.BytesIO()
    copy.save(stream, "JPEG", quality=40)
    return Image.open(stream).convert("RGB")


def same_artist(encoder: Encoder, measured: Measured) -> tuple[float, float]:
    """How often the nearest other painting is by the same artist, and how often a random one would be."""
    scores = encoder.as_query(measured.rows) @ measured.rows.T
    np.fill_diagonal(scores, -np.inf)
    same = measured.artists[:, None] == measured.artists
    n = len(same)
    return float(same[np.arange(n), scores.argmax(axis=1)].mean()), float((same.sum() - n) / (n * (n - 1)))


def copies_found(encoder: Encoder, measured: Measured) -> float:
    """How often an altered copy has its original among its five nearest paintings."""
    scores = encoder.as_query(measured.copies) @ measured.rows.T
    better = (scores > np.diag(scores)[:, None]).sum(axis=1)
    return float((better < 5).mean())


def paint_sheet(encoder: Encoder, measured: Measured, queries: tuple[str, ...]) -> Image.Image:
    """A row of thumbnails for each query, the best to the left."""
    scores = encoder.embed_texts(queries) @ measured.rows.T
    height = THUMBNAIL + 18
    sheet = Image.new("RGB", (BEST * THUMBNAIL, len(queries) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (query, found) in enumerate(zip(queries, scores, strict=True)):
        best = np.argsort(-found)[:BEST]
        span = f"{found[best[0]] / encoder.best_score:.2f} to {found[best[-1]] / encoder.best_score:.2f}"
        draw.text((4, row * height + 2), f"{query}   ({span} of a perfect score)", fill="black")
        for column, index in enumerate(best):
            sheet.paste(measured.thumbnails[index], (column * THUMBNAIL, row * height + 16))
    return sheet


if __name__ == "__main__":
    main()
