"""Which picture files every endpoint shows alike, told by their headers without decoding.

A JPEG or PNG may still hold what readers differ about: four inks, sixteen bits, see-through parts,
several frames, a note that it lies on its side. What `pictures.decoded` makes of such a file is
sent in its place, so that a model sees the same over HTTP as in this process.
"""

from typing import Literal

_JPEG_HEAD, _JPEG_TAIL = b"\xff\xd8\xff", b"\xff\xd9"
_PNG_HEAD, _PNG_TAIL = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_TAIL_IN = 64
"""Bytes at the end in which a whole file ends; some writers add a few."""
_GREY_RGB_PALETTE = frozenset([0, 2, 3])
_ODD_CHUNKS = frozenset([b"tRNS", b"acTL", b"eXIf"])
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that begin a picture in a JPEG; the three between them are tables."""
_SCAN, _APP1 = 0xDA, 0xE1
_EXIF = b"Exif\0\0"
_ORIENTATION, _UPRIGHT = 0x0112, 1


def plain_type(data: bytes) -> str | None:
    """Returns `image/jpeg` or `image/png` for a whole file that readers agree about, else None.

    That is: at most 8 bits a sample, grey or colours, opaque, one frame, upright.
    """
    tail = data[-_TAIL_IN:]
    if data.startswith(_JPEG_HEAD) and _JPEG_TAIL in tail and _plain_jpeg(data):
        return "image/jpeg"
    if data.startswith(_PNG_HEAD) and _PNG_TAIL in tail and _plain_png(data):
        return "image/png"
    return None


def _plain_png(data: bytes) -> bool:
    bits, colours = data[24:26]
    if bits > 8 or colours not in _GREY_RGB_PALETTE:
        return False
    place = len(_PNG_HEAD)
    while (kind := data[place + 4 : place + 8]) != b"IDAT":
        if not kind or kind in _ODD_CHUNKS:
            return False
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    return True


def _plain_jpeg(data: bytes) -> bool:
    place = 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in _FRAMES:
            bits, inks = data[place + 4], data[place + 9]
            return bits == 8 and inks in {1, 3}
        if marker == _SCAN or (marker == _APP1 and _turned(data[place + 4 : place + 2 + length])):
            return False
        place += 2 + length
    return False


def _turned(part: bytes) -> bool:
    """Says whether a part of a JPEG tells readers to turn the picture (EXIF 2.3, 4.6.4)."""
    if not part.startswith(_EXIF):
        return False
    tiff = part[len(_EXIF) :]
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(tiff[start : start + size], order)

    first = number(4, 4)
    entries = (first + 2 + 12 * n for n in range(number(first, 2)))
    return any(
        number(entry, 2) == _ORIENTATION and number(entry + 8, 2) != _UPRIGHT for entry in entries
    )
