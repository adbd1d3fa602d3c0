import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_core.records import Image
from medevalkit.pictures import BrokenPictureError, Pictures, ahead, decoded, encoded
from medevalkit.settings import PictureSettings

DEFAULTS = PictureSettings()


def file_of(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb(side=60_000):
    """A PNG whose header promises 3.6 billion pixels."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.fixture
def shelf(tmp_path):
    """Returns a manifest and a maker of pictures in it."""
    (tmp_path / "list.jsonl").write_bytes(b"")
    manifest = Manifest(tmp_path / "list.jsonl")

    def put(name, data, size=(8, 8), sha256=None):
        (tmp_path / name).write_bytes(data)
        sha = sha256 or hashlib.sha256(data).hexdigest()
        return Image(path=name, sha256=sha, width=size[0], height=size[1])

    return manifest, put


def show(data, tmp_path, settings=DEFAULTS):
    return decoded(data, tmp_path / "picture", settings)


def test_grey_of_sixteen_bits_is_spread_over_eight(tmp_path):
    deep = Pillow.new("I;16", (3, 1))
    for x, value in enumerate((1000, 2000, 3000)):
        deep.putpixel((x, 0), value)
    shown = show(file_of(deep, "PNG"), tmp_path)
    assert shown.mode == "RGB"
    assert [shown.getpixel((x, 0))[0] for x in range(3)] == [0, 127, 255]


def test_cmyk_becomes_rgb(tmp_path):
    cmyk = Pillow.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = show(file_of(cmyk, "JPEG", quality=95), tmp_path).getpixel((8, 8))
    assert red > 200 and green < 60 and blue < 60


def test_of_an_animation_the_first_frame_is_shown(tmp_path):
    frames = [Pillow.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert show(data, tmp_path).getpixel((0, 0)) == (255, 0, 0)


def test_what_is_transparent_becomes_white(tmp_path):
    glass = Pillow.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert show(file_of(glass, "PNG"), tmp_path).getpixel((0, 0)) == (255, 255, 255)


def test_a_turned_photograph_stands_upright(tmp_path):
    lying = Pillow.new("RGB", (20, 10))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    assert show(file_of(lying, "JPEG", exif=exif), tmp_path).size == (10, 20)


def test_a_large_picture_is_scaled_down_in_shape(tmp_path):
    settings = PictureSettings(max_pixels=50 * 50)
    shown = show(file_of(Pillow.new("RGB", (400, 100)), "PNG"), tmp_path, settings)
    assert shown.width * shown.height <= 2500
    assert shown.width / shown.height == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be decoded"),
        (b"plain text", "cannot be decoded"),
        (bomb(), "60000 x 60000"),
        (file_of(Pillow.new("RGB", (64, 64)), "PNG")[:60], "cannot be decoded"),
        (file_of(Pillow.effect_noise((64, 64), 90), "JPEG")[:500], "cannot be decoded"),
    ],
    ids=["empty", "text", "bomb", "cut png", "cut jpeg"],
)
@pytest.mark.parametrize("form", [decoded, encoded])
def test_what_cannot_be_shown_says_why(tmp_path, data, why, form):
    with pytest.raises(BrokenPictureError, match=why):
        form(data, tmp_path / "picture", DEFAULTS)


def test_a_good_file_is_passed_on_untouched(tmp_path):
    data = file_of(Pillow.new("RGB", (30, 30)), "JPEG")
    assert encoded(data, tmp_path / "x.jpg", DEFAULTS) == (data, "image/jpeg")


def test_a_tiff_is_sent_as_png(tmp_path):
    data, kind = encoded(file_of(Pillow.new("L", (9, 7)), "TIFF"), tmp_path / "x.tif", DEFAULTS)
    assert kind == "image/png"
    assert Pillow.open(io.BytesIO(data)).size == (9, 7)


def test_each_file_is_loaded_once(shelf, png):
    manifest, put = shelf
    images = [put(f"{n}.png", png(n)) for n in range(3)]
    with Pictures(DEFAULTS, "decoded") as pictures:
        loads = [pictures.load(image, manifest) for _ in range(10) for image in images]
        assert len({id(load.result().decoded) for load in loads}) == 3
        assert pictures.decoded == 3


def test_the_cache_keeps_to_its_size(shelf, png):
    manifest, put = shelf
    images = [put(f"{n}.png", png(n), (600, 600)) for n in range(3)]
    with Pictures(PictureSettings(cache_mb=2), "decoded") as pictures:
        for image in (*images, images[0]):
            pictures.load(image, manifest).result()
        assert pictures.decoded == 4


def test_a_missing_and_a_changed_picture_say_so(shelf, png):
    manifest, put = shelf
    changed = put("changed.png", png(1), sha256="0" * 64)
    missing = Image(path="no.png", sha256="1" * 64, width=1, height=1)
    with Pictures(DEFAULTS, "encoded") as pictures:
        with pytest.raises(BrokenPictureError, match="was changed"):
            pictures.load(changed, manifest).result()
        with pytest.raises(BrokenPictureError, match="there is no file"):
            pictures.load(missing, manifest).result()


def test_a_path_that_leaves_its_folder_is_not_followed(shelf, tmp_path):
    manifest, _ = shelf
    (tmp_path / "link.png").symlink_to("/etc/hostname")
    image = Image(path="link.png", sha256="1" * 64, width=1, height=1)
    with (
        Pictures(DEFAULTS, "encoded") as pictures,
        pytest.raises(BrokenPictureError, match="leaves its folder"),
    ):
        pictures.load(image, manifest).result()


def test_loads_run_ahead_of_who_asks():
    drawn = []

    def source():
        for number in range(10):
            drawn.append(number)
            yield number

    items = ahead(source(), 4)
    assert next(items) == 0
    assert drawn == [0, 1, 2, 3, 4]
    assert list(items) == list(range(1, 10))
