"""Template filters: texts about works, image sizes, addresses of searches."""

from __future__ import annotations

import math
from datetime import datetime

from flask import Flask, url_for
from flask_babel import format_date, gettext

from gallery.models import Artist, Artwork, StoredImage
from gallery.search.calibration import Relevance
from gallery.search.engine import SearchResult
from gallery.text import printable
from serving.context import state
from serving.describe import capitalized
from serving.i18n import all_of, number
from serving.query import href, only

RATIO_STEP, RATIO_STEPS = 1.02, 75
"""Aspect ratios in the grid are rounded to steps of 2 %, from 1 : 4.4 to 4.4 : 1."""


def alt(work: Artwork) -> str:
    """Return the alternative text: "Painting by Claude Monet, 1840–1926, Impressionism"."""
    artist = work.artist
    title = gettext("Painting by %(artist)s", artist=artist.name)
    return ", ".join(part for part in (title, years(artist), *artist.styles[:1]) if part)


def years(artist: Artist) -> str:
    """Return the life dates: "1840–1926", "born 1932", "died 1516", or "" if unknown."""
    if artist.birth and artist.death:
        return f"{artist.birth}–{artist.death}"
    if artist.birth:
        return gettext("born %(year)s", year=artist.birth)
    return gettext("died %(year)s", year=artist.death) if artist.death else ""


def relevance_label(match: SearchResult) -> str:
    """Return a label for the relevance of a match, "" if unknown."""
    if match.matched_terms:
        return gettext("text match")
    labels = {
        Relevance.CLOSE: gettext("strong match"),
        Relevance.FAIR: gettext("possible match"),
        Relevance.WEAK: gettext("unlikely match"),
    }
    return labels.get(match.relevance, "")


def effect(delta: float) -> str:
    """Return the effect of a term on a result in words. `delta` is in standard deviations of the scores."""
    if abs(delta) < 0.5:
        return gettext("made little difference")
    if delta > 0:
        return gettext("raised it a lot") if delta >= 2 else gettext("raised it")
    return gettext("lowered it a lot") if delta <= -2 else gettext("lowered it")


def srcset(image: StoredImage) -> str:
    """Return the srcset of both thumbnails. Their widths follow from the longer sides in the settings."""
    settings, longer = state().settings, max(image.width, image.height)
    copies = ((image.small, settings.thumb_small), (image.large, settings.thumb_large))
    widths = {key: max(1, round(image.width * min(1.0, side / longer))) for key, side in copies}
    return ", ".join(f"{image_url(key)} {width}w" for key, width in widths.items())


def image_url(key: str, external: bool = False) -> str:
    """Return the address of an image, in the store or in this app; always absolute if `external`."""
    return state().image_urls.url_for(key) or url_for("media.image", key=key, _external=external)


def ratio_class(image: StoredImage) -> str:
    """Return the class in ratios.css for the aspect ratio. The security policy forbids inline styles."""
    steps = round(math.log(image.width / image.height) / math.log(RATIO_STEP))
    return f"r{max(-RATIO_STEPS, min(RATIO_STEPS, steps))}"


def ratio_rules() -> str:
    """Return the rules of ratios.css."""
    steps = range(-RATIO_STEPS, RATIO_STEPS + 1)
    return "".join(f".r{step}{{--r:{RATIO_STEP**step:.3f}}}\n" for step in steps)


def fitted(image: StoredImage, width: int, height: int) -> tuple[int, int]:
    """Return width and height in CSS pixels of the image scaled to fit a box."""
    scale = min(width / image.width, height / image.height)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def source(dataset: str) -> str:
    """Return a dataset's address to show to visitors: without folders for local files."""
    scheme, _, rest = dataset.partition("://")
    return rest.rstrip("/").rpartition("/")[2] if scheme == "file" else dataset


def day(moment: str) -> str:
    """Return the day of an ISO 8601 time, such as "22 November 2026"; other text unchanged."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return format_date(parsed.date(), "long")


def register(app: Flask) -> None:
    """Add the filters to the app's templates."""
    app.jinja_env.filters.update(
        alt=alt,
        srcset=srcset,
        fitted=fitted,
        source=source,
        day=day,
        ratio_class=ratio_class,
        capitalized=capitalized,
        years=years,
        relevance_label=relevance_label,
        effect=effect,
        number=number,
        all_of=all_of,
        printable=printable,
        href=href,
        only=only,
    )
    app.jinja_env.globals.update(image_url=image_url)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
