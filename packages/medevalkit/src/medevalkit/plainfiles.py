"""Which picture files every endpoint shows alike, told by their headers without decoding.

A JPEG or PNG may still hold what readers differ about: four inks, sixteen bits, see-through parts,
several frames, a note that it lies on its side. What `pictures.decoded` makes of such a file is
sent in its place, so that a model sees the same over HTTP as in this process.
"""

import io

_ENDS = {
    "image/jpeg": (b"\xff\xd8\xff", b"\xff\xd9"),
    "image/png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
}
"""How whole files begin and end."""
_TAIL = 64
"""Bytes at the end in which a whole file ends; some writers add a few."""
_MODES = frozenset(["1", "L", "P", "RGB"])
_PNG_BITS = 24
"""Where a PNG says how many bits a sample has: Pillow calls colours of 16 bits RGB as well."""
_ORIENTATION, _UPRIGHT = 0x0112, 1


def plain_type(data: bytes) -> str | None:
    """Returns `image/jpeg` or `image/png` for a whole file that readers agree about, else None.

    That is: at most 8 bits a sample, grey or colours, opaque, one frame, upright.
    """
    for kind, (head, end) in _ENDS.items():
        if data.startswith(head) and end in data[-_TAIL:]:
            return kind if _plain(data, png=kind == "image/png") else None
    return None


def _plain(data: bytes, *, png: bool) -> bool:
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(data)) as file:
            if file.mode not in _MODES or file.has_transparency_data:
                return False
            if png:
                # Pillow would decode the picture to look for EXIF behind it.
                still = not getattr(file, "is_animated", False)
                return still and data[_PNG_BITS] <= 8 and b"eXIf" not in data
            return bool(file.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT)
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return False
