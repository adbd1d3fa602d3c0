"""A picture's header decides first; bombs are never decoded, and every fault has its reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_core.records import Image, Imaging, Source
from lingshu_data.ledger import Drop
from lingshu_data.looks import Look, Looks
from lingshu_data.operator import Item
from lingshu_data.operators.picture_filter import PictureFilter, Settings


def header_of(width: int, height: int) -> bytes:
    """Returns a PNG that claims a size and holds a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" * 99)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture
def judged(tmp_path):
    def judge(*pictures: bytes, **settings: object) -> Drop | None:
        images = []
        for number, data in enumerate(pictures):
            (tmp_path / f"{number}.png").write_bytes(data)
            images.append(Image(path=f"{number}.png", sha256="0" * 64, width=1, height=1))
        (tmp_path / "in.jsonl").write_bytes(b"")
        record = Imaging(
            id="toy/1",
            source=Source(dataset="toy", licence="CC0-1.0"),
            modality="xray",
            images=tuple(images),
        )
        looks = Looks(Manifest(tmp_path / "in.jsonl"))
        found = PictureFilter(Settings(**settings)).judge(Item(record, looks))
        return found if isinstance(found, Drop) else None

    return judge


def test_either_side_counts_and_the_bound_is_inclusive(judged, pictures):
    noise, png = pictures
    assert judged(png(noise(1, 64, 64))) is None
    assert judged(png(noise(1, 63, 200))) == Drop("smaller than 64 px", value=63)
    assert judged(png(noise(1, 200, 63))) == Drop("smaller than 64 px", value=63)
    assert judged(png(noise(1)), png(noise(2, 20, 90))) == Drop("smaller than 64 px", value=20)
    assert judged(png(noise(1, 63, 200)), least_side=63) is None


def test_what_is_too_small_or_too_large_is_never_decoded(judged, monkeypatch):
    def refuse(look):
        raise AssertionError("decoded")

    monkeypatch.setattr(Look, "pixels", property(refuse))
    # The size that a record tells is its own; the file's is looked at.
    assert judged(header_of(40, 500)) == Drop("smaller than 64 px", value=40)
    assert judged(header_of(60_000, 60_000)) == Drop("bomb")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"no picture", "unreadable"), (b"", "unreadable"), (header_of(90, 90), "unreadable")],
)
def test_what_cannot_be_read_is_said(judged, data, reason):
    assert judged(data) == Drop(reason)


def test_even_pictures_are_blank_in_every_depth(judged, pictures):
    _, png = pictures
    grey = np.full((80, 80), 90, np.uint8)
    assert judged(png(Pillow.fromarray(grey))) == Drop("blank")
    grey[0, 0] = 92
    assert judged(png(Pillow.fromarray(grey))) == Drop("blank")
    assert judged(png(Pillow.fromarray(grey)), blank=1) is None
    deep = np.full((80, 80), 4000, np.uint16)
    assert judged(png(Pillow.fromarray(deep))) == Drop("blank")
    # Above 255 alone, where cutting off would leave nothing to see.
    deep[20:40] = 4090
    assert judged(png(Pillow.fromarray(deep))) is None
    buffer = io.BytesIO()
    Pillow.fromarray(deep).save(buffer, "TIFF")
    assert judged(buffer.getvalue()) is None
