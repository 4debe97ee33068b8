"""Drawn images that differ as paintings do: in size, colours and composition."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def drawn(seed: int, *, size: tuple[int, int] | None = None) -> Image.Image:
    """Return an RGB image of soft coloured blobs; its size and colours depend on the seed."""
    random = np.random.default_rng(seed)
    width, height = size or (int(random.integers(180, 420)), int(random.integers(180, 420)))
    image = Image.new("RGB", (width, height), tuple(int(value) for value in random.integers(0, 256, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        left, top = int(random.integers(-50, width)), int(random.integers(-50, height))
        right, bottom = left + int(random.integers(20, 200)), top + int(random.integers(20, 200))
        color = tuple(int(value) for value in random.integers(0, 256, 3))
        if random.random() < 0.5:
            draw.ellipse((left, top, right, bottom), fill=color)
        else:
            draw.rectangle((left, top, right, bottom), fill=color)
    return image.filter(ImageFilter.GaussianBlur(1))


def altered(image: Image.Image) -> Image.Image:
    """Return the image without a twentieth on each side, 150 pixels large, as a JPEG of quality 50."""
    width, height = image.size
    copy = image.crop((width // 20, height // 20, width - width // 20, height - height // 20))
    copy.thumbnail((150, 150))
    stream = io.BytesIO()
    copy.save(stream, "JPEG", quality=50)
    return Image.open(stream).convert("RGB")
