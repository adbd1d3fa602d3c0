"""The fast hash is `imagehash.phash`, bit for bit."""

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from lingshu_data.hashing import distance, grey, hashed, phash, scaled

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16")


def oracle(image: Pillow.Image, size: int = 8) -> int:
    return int(str(imagehash.phash(image, size)), 16)


@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_scaling_is_pillows_on_every_size(width: int, height: int, seed: int):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    image = Pillow.fromarray(pixels)
    theirs = np.asarray(image.resize((32, 32), Pillow.Resampling.LANCZOS))
    assert np.array_equal(scaled(pixels, 32), theirs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(512, 512), (97, 203), (33, 64), (5, 5)])
def test_hash_is_equal_on_every_mode_and_depth(mode: str, size: tuple[int, int]):
    random = np.random.default_rng(0)
    if mode == "I;16":
        image = Pillow.fromarray(random.integers(0, 65536, size[::-1], dtype=np.uint16))
    else:
        pixels = random.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        image = Pillow.fromarray(pixels).convert("RGB" if mode in {"PA", "LA"} else mode)
        image = image.convert("LA") if mode == "LA" else image
        image = image.convert("P").convert("PA") if mode == "PA" else image
    assert phash(image) == oracle(image)
    assert phash(image, 16) == oracle(image, 16)


@pytest.mark.parametrize("quality", [30, 90])
def test_hash_is_equal_on_jpeg(tmp_path, pictures, quality: int):
    noise, _ = pictures
    noise(3, 640, 480).save(tmp_path / "a.jpg", quality=quality)
    image = Pillow.open(tmp_path / "a.jpg")
    assert phash(image) == oracle(image)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_even_pictures_are_known_for_flat(level: int):
    found = hashed(grey(Pillow.new("L", (100, 80), level)))
    assert found.flat
    assert found.bits == oracle(Pillow.new("L", (100, 80), level))


def test_pictures_with_something_to_see_are_not_flat(pictures):
    noise, _ = pictures
    assert not hashed(grey(noise(1))).flat


def test_distance_counts_bits():
    assert distance(0b1011, 0b0010) == 2
