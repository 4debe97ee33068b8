"""Filters for the templates: what is said of a picture, and the sizes it comes in."""

from __future__ import annotations

import math
from datetime import datetime

from flask import Flask, url_for
from flask_babel import format_date, gettext

from gallery.models import Artist, Artwork, StoredImage
from gallery.search.calibration import Relevance
from gallery.search.engine import SearchResult
from serving.language import all_of, number
from serving.sentence import capital
from serving.site import site

RATIO_STEP, RATIO_STEPS = 1.02, 75
"""Proportions of pictures in the grid go in steps of 2 %, from 1 : 4.4 to 4.4 : 1."""


def alt(work: Artwork) -> str:
    """What the catalogue knows, for who cannot see it: "Painting by Claude Monet, 1840–1926, Impressionism"."""
    artist = work.artist
    said = gettext("Painting by %(artist)s", artist=artist.name)
    return ", ".join(part for part in (said, years(artist), *artist.styles[:1]) if part)


def years(artist: Artist) -> str:
    """The life dates: "1840–1926", "born 1932", "died 1516", or "" when neither is known."""
    if artist.birth and artist.death:
        return f"{artist.birth}–{artist.death}"
    if artist.birth:
        return gettext("born %(year)s", year=artist.birth)
    return gettext("died %(year)s", year=artist.death) if artist.death else ""


def word_of(match: SearchResult) -> str:
    """The calm word for what a hit is worth, "" where nothing is known of that."""
    if match.matched_terms:
        return gettext("named")
    words = {
        Relevance.CLOSE: gettext("close"),
        Relevance.FAIR: gettext("fair"),
        Relevance.WEAK: gettext("weak"),
    }
    return words.get(match.relevance, "")


def srcset(picture: StoredImage) -> str:
    """Both thumbnails with their widths, which follow from the longer sides that the settings name."""
    settings, longer = site().settings, max(picture.width, picture.height)
    copies = ((picture.small, settings.thumb_small), (picture.large, settings.thumb_large))
    widths = {key: max(1, round(picture.width * min(1.0, side / longer))) for key, side in copies}
    return ", ".join(f"{picture_url(key)} {width}w" for key, width in widths.items())


def picture_url(key: str, external: bool = False) -> str:
    """Where a browser gets the object of that key: in this app, whole where `external`, or in the store."""
    return site().image_urls.url_for(key) or url_for("pictures.picture", key=key, _external=external)


def ratio_class(picture: StoredImage) -> str:
    """The class of ratios.css that says width by height, right to a hundredth; the policy forbids inline styles."""
    steps = round(math.log(picture.width / picture.height) / math.log(RATIO_STEP))
    return f"r{max(-RATIO_STEPS, min(RATIO_STEPS, steps))}"


def ratio_rules() -> str:
    """What ratios.css holds."""
    steps = range(-RATIO_STEPS, RATIO_STEPS + 1)
    return "".join(f".r{step}{{--r:{RATIO_STEP**step:.3f}}}\n" for step in steps)


def fitted(picture: StoredImage, width: int, height: int) -> tuple[int, int]:
    """The picture's size once it is scaled into a box, in CSS pixels, its proportions kept."""
    scale = min(width / picture.width, height / picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def source(dataset: str) -> str:
    """A dataset's address as visitors may see it: of one on this machine, its name without the folders."""
    scheme, _, rest = dataset.partition("://")
    return rest.rstrip("/").rpartition("/")[2] if scheme == "file" else dataset


def day(moment: str) -> str:
    """A build's time as a day for people: "22 November 2026"; as it stands where it is not ISO 8601."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return format_date(parsed.date(), "long")


def register(app: Flask) -> None:
    """Give the filters to the app's templates."""
    app.jinja_env.filters.update(
        alt=alt,
        srcset=srcset,
        fitted=fitted,
        source=source,
        day=day,
        ratio_class=ratio_class,
        capital=capital,
        years=years,
        word_of=word_of,
        number=number,
        all_of=all_of,
    )
    app.jinja_env.globals.update(picture_url=picture_url)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
