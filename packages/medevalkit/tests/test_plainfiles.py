import io

import pytest
from PIL import Image as Pillow

from medevalkit.pictures import decoded, encoded
from medevalkit.plainfiles import plain_type
from medevalkit.settings import PictureSettings

SIZE = (12, 8)
GREY = Pillow.linear_gradient("L").resize(SIZE)
COLOURS = Pillow.merge("RGB", [GREY, GREY.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT), GREY])


def file_of(picture, form, **more):
    buffer = io.BytesIO()
    picture.save(buffer, form, **more)
    return buffer.getvalue()


def turned(orientation):
    """Returns a photograph with an EXIF part, as cameras write it."""
    exif = Pillow.Exif()
    exif[0x010F] = "maker"
    exif[0x0112] = orientation
    return file_of(COLOURS, "JPEG", exif=exif)


def deep():
    picture = Pillow.new("I;16", SIZE)
    picture.putdata([500 * n for n in range(SIZE[0] * SIZE[1])])
    return file_of(picture, "PNG")


def moving():
    return file_of(COLOURS, "PNG", save_all=True, append_images=[GREY.convert("RGB")])


def see_through(mode):
    glass = COLOURS.convert("RGBA")
    glass.putalpha(GREY)
    return glass.convert(mode)


PLAIN = {
    "grey jpeg": file_of(GREY, "JPEG"),
    "colour jpeg": file_of(COLOURS, "JPEG"),
    "progressive jpeg": file_of(COLOURS, "JPEG", progressive=True),
    "upright photograph": turned(1),
    "grey png": file_of(GREY, "PNG"),
    "colour png": file_of(COLOURS, "PNG"),
    "palette png": file_of(COLOURS.quantize(16), "PNG"),
    "bits png": file_of(GREY.convert("1"), "PNG"),
    "png with text": file_of(COLOURS, "PNG", dpi=(72, 72)),
}
ODD = {
    "cmyk jpeg": file_of(COLOURS.convert("CMYK"), "JPEG"),
    "turned photograph": turned(6),
    "16 bits": deep(),
    "moving png": moving(),
    "see-through": file_of(see_through("RGBA"), "PNG"),
    "see-through grey": file_of(see_through("LA"), "PNG"),
    "see-through palette": file_of(see_through("RGBA").quantize(8), "PNG"),
    "gif": file_of(COLOURS, "GIF"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_readers_agree_about_is_passed_on(name, tmp_path):
    data, _ = encoded(PLAIN[name], tmp_path / name, PictureSettings())
    assert data == PLAIN[name]


@pytest.mark.parametrize("name", ODD)
def test_of_the_rest_everyone_is_shown_the_same(name, tmp_path):
    data, kind = encoded(ODD[name], tmp_path / name, PictureSettings())
    assert data != ODD[name] and kind == "image/png" and plain_type(data) == kind
    shown = decoded(ODD[name], tmp_path / name, PictureSettings())
    with Pillow.open(io.BytesIO(data)) as sent:
        assert sent.mode == "RGB" and sent.tobytes() == shown.tobytes()


@pytest.mark.parametrize("name", ["colour jpeg", "colour png", "upright photograph"])
def test_a_file_cut_anywhere_is_none(name):
    data = PLAIN[name]
    assert not any(plain_type(data[:length]) for length in range(0, len(data) - 16, 7))


def test_a_head_that_leads_nowhere_is_none():
    png = b"\x89PNG\r\n\x1a\n" + bytes(16) + b"\x08\x02" + b"IEND\xaeB`\x82"
    jpeg = b"\xff\xd8\xff\xe1\x00\x08Exif\x00\x00" + b"\xff\xff" * 40 + b"\xff\xd9"
    assert plain_type(png) is None and plain_type(jpeg) is None
