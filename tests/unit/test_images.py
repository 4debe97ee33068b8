"""Decoding of images: unusual ones are converted, unusable ones are Invalid, none crashes the process."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from gallery.errors import Invalid
from gallery.images.decode import open_image
from gallery.images.derivatives import inspect_image, thumbnails
from tests.fakes.archives import HEIC, picture, png_claiming

LIMIT = 1_000_000


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def mean(image: Image.Image) -> tuple[int, ...]:
    return tuple(int(value) for value in np.asarray(image).reshape(-1, 3).mean(axis=0).round())


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_each_format_is_decoded_to_rgb(format: str) -> None:
    opened = open_image(picture(3, format=format), max_pixels=LIMIT)
    assert (opened.mode, opened.size) == ("RGB", (120, 90))


def test_heic_is_decoded_to_rgb() -> None:
    opened = open_image(HEIC, max_pixels=LIMIT)
    assert (opened.mode, opened.size) == ("RGB", (64, 48))
    (red, _, blue), (other_red, _, other_blue) = opened.getpixel((5, 5)), opened.getpixel((60, 40))  # type: ignore[misc]
    assert blue > 150 > red and other_red > 150 > other_blue


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LA", "RGBA", "I;16", "I", "F"])
def test_each_mode_becomes_rgb_of_the_same_brightness(mode: str) -> None:
    grey = Image.new("L", (64, 48), 128)
    if mode in ("I;16", "I"):
        image = Image.fromarray(np.full((48, 64), 128 * 257, dtype=np.uint16 if mode == "I;16" else np.int32))
    elif mode == "F":
        image = Image.fromarray(np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1)))
    else:
        image = grey.convert("RGB" if mode in ("CMYK", "YCbCr") else "L").convert(mode)
    opened = open_image(encode(image, "TIFF"), max_pixels=LIMIT)
    assert opened.mode == "RGB"
    assert all(abs(value - 128) <= 4 for value in mean(opened))


def test_transparent_pixels_become_white() -> None:
    opened = open_image(encode(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"), max_pixels=LIMIT)
    assert mean(opened) == (255, 255, 255)


def test_a_colour_profile_is_converted_to_srgb() -> None:
    # LittleCMS has no built-in wide-gamut profile; in XYZ, the same numbers are another colour.
    image = Image.new("RGB", (16, 16), (200, 30, 30))
    xyz = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    assert open_image(encode(image, "PNG", icc_profile=xyz), max_pixels=LIMIT).mode == "RGB"
    assert mean(open_image(encode(image, "PNG", icc_profile=b"rubbish"), max_pixels=LIMIT)) == (200, 30, 30)


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to view
    data = encode(image, "JPEG", exif=exif, quality=95)
    upright = open_image(data, max_pixels=LIMIT)
    seen = inspect_image(data, max_pixels=LIMIT)
    assert upright.size == (20, 40) == (seen.width, seen.height)
    assert np.asarray(upright)[:15].mean() > 240 > 15 > np.asarray(upright)[25:].mean()
    (large,) = thumbnails(data, (32,), max_pixels=LIMIT)
    assert Image.open(io.BytesIO(large)).size == (16, 32)


def test_the_first_frame_of_an_animation_is_used() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        data = encode(frames[0], format, save_all=True, append_images=frames[1:])
        red, _, blue = mean(open_image(data, max_pixels=LIMIT))
        assert red > 200 and blue < 60


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"just some text, called .jpg", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image"),
        (picture(1)[:700], "damaged"),
        (picture(1, format="PNG")[:700], "damaged"),
        (picture(1, format="WEBP")[:300], "damaged"),
        (png_claiming(20_000, 15_000), "20000 x 15000 pixels, over the limit of 1 million"),
        (png_claiming(10, 10), "damaged"),
    ],
)
def test_an_unusable_image_is_invalid_with_the_reason(data: bytes, words: str) -> None:
    for act in (open_image, inspect_image):
        with pytest.raises(Invalid, match=words):
            act(data, max_pixels=LIMIT)


@given(st.data())
def test_damaged_images_raise_nothing_but_invalid(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]))
    damaged = bytearray(picture(5, (40, 30), format))
    for _ in range(data.draw(st.integers(1, 12))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        inspect_image(bytes(damaged), max_pixels=LIMIT)
        thumbnails(bytes(damaged), (20, 10), max_pixels=LIMIT)
    except Invalid:
        pass


def test_a_large_jpeg_is_decoded_at_reduced_size() -> None:
    data = picture(1, (2000, 1500))
    opened = open_image(data, max_pixels=10_000_000, side=224)
    assert 224 <= min(opened.size) < 448
    seen = inspect_image(data, max_pixels=10_000_000)
    assert (seen.width, seen.height) == (2000, 1500)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "I;16", "F"])
def test_other_large_images_are_reduced_before_conversion(mode: str) -> None:
    shades = np.tile(np.linspace(0, 1, 1600), (1200, 1))
    if mode in ("I;16", "F"):
        image = Image.fromarray(
            (shades * 65535).astype(np.uint16) if mode == "I;16" else shades.astype(np.float32)
        )
    else:
        image = Image.fromarray((shades * 255).astype(np.uint8)).convert(mode)
    opened = open_image(encode(image, "TIFF"), max_pixels=LIMIT * 10, side=100)
    assert 100 <= min(opened.size) <= 300
    columns = np.asarray(opened)[:, :, 0].mean(axis=0)
    assert columns[0] < 10 and columns[-1] > 245 and abs(columns[len(columns) // 2] - 128) < 6


def test_a_reduced_image_stays_upright_and_on_white() -> None:
    image = Image.new("RGBA", (400, 200), (0, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = open_image(encode(image, "PNG", exif=exif), max_pixels=LIMIT, side=20)
    pixels = np.asarray(upright)
    assert upright.height == 2 * upright.width
    assert tuple(pixels[2, 5]) == (0, 0, 255) and tuple(pixels[-3, 5]) == (255, 255, 255)


def test_thumbnails_keep_proportions_and_never_enlarge() -> None:
    large, small = thumbnails(picture(1, (900, 300)), (600, 150), max_pixels=LIMIT)
    assert [Image.open(io.BytesIO(one)).size for one in (large, small)] == [(600, 200), (150, 50)]
    large, small = thumbnails(picture(1, (100, 80)), (600, 50), max_pixels=LIMIT)
    assert [Image.open(io.BytesIO(one)).size for one in (large, small)] == [(100, 80), (50, 40)]
    (thin,) = thumbnails(picture(1, (1000, 1)), (100,), max_pixels=LIMIT)
    assert Image.open(io.BytesIO(thin)).size == (100, 1)


def test_inspection_gives_size_colour_format_and_a_perceptual_hash() -> None:
    seen = inspect_image(encode(Image.new("RGB", (30, 20), (16, 32, 48)), "PNG"), max_pixels=LIMIT)
    assert (seen.width, seen.height, seen.color, seen.extension) == (30, 20, "#102030", "png")
    original = inspect_image(picture(7, (400, 300)), max_pixels=LIMIT)
    again = open_image(picture(7, (400, 300)), max_pixels=LIMIT).resize((200, 150))
    altered = inspect_image(encode(again, "JPEG", quality=50), max_pixels=LIMIT)
    other = inspect_image(picture(8, (400, 300)), max_pixels=LIMIT)

    def apart(one: str, another: str) -> int:
        return (int(one, 16) ^ int(another, 16)).bit_count()

    assert apart(original.phash, altered.phash) <= 6 < apart(original.phash, other.phash)
