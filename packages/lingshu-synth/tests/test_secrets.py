"""Keys stand nowhere, and pictures go out without what their files tell beside the pixels."""

import base64
import hashlib
import io
import sqlite3

import pytest
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Image
from lingshu_synth.call import pictures_of
from lingshu_synth.endpoint import blot, public_url
from lingshu_synth.settings import PicturePolicy
from lingshu_synth.studio import Studio

KEY = "sk-live-0123456789abcdefSECRET"


def every_byte_below(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("words", ["", "STATUS-400", "STATUS-401"])
def test_a_key_stands_in_no_file_and_no_message(
    server, pictures, calls, texts, monkeypatch, capfd, words
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    mock = server()
    told = ""
    try:
        calls(texts(3, words), mock.url)
    except SettingsError as error:
        told = str(error)
    assert mock.stats()["keys"][-1] == f"Bearer {KEY}", "it was sent"
    with sqlite3.connect(pictures.folder / "journal" / "journal.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    captured = capfd.readouterr()
    for text in (told, captured.out, captured.err):
        assert KEY not in text and "SECRET" not in text
    assert KEY.encode() not in every_byte_below(pictures.folder)


def test_an_endpoint_that_repeats_the_key_is_not_believed():
    told = f"Incorrect API key provided: {KEY}. Authorization: Bearer {KEY}"
    assert "SECRET" not in blot(told, KEY)
    assert "SECRET" not in blot(told, "another-key")
    assert public_url("https://user:pass@host/v1?key=x") == "https://host/v1"


def spoken(pictures, kind):
    """A picture whose file tells a name in every place that it has for texts."""
    path = pictures.folder / "images" / f"x.{kind}"
    path.parent.mkdir(exist_ok=True)
    image = Picture.effect_noise((64, 48), 40).convert("RGB")
    exif = Picture.Exif()
    exif[0x010E] = "JANE DOE"
    if kind == "png":
        info = PngInfo()
        info.add_text("Patient", "JANE DOE")
        image.save(path, pnginfo=info, exif=exif, icc_profile=b"JANE DOE" * 20)
    else:
        image.save(path, exif=exif, comment=b"JANE DOE", icc_profile=b"JANE DOE" * 20)
    assert b"JANE DOE" in path.read_bytes()
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    return pictures.imaging(
        1, image=Image(path=f"images/x.{kind}", sha256=sha, width=64, height=48)
    )


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("sent", ["png", "jpeg"])
def test_pictures_go_out_as_pixels_alone(pictures, tmp_path, kind, sent):
    record = spoken(pictures, kind)
    manifest = Manifest(pictures.write([record]))
    (shot,) = pictures_of(next(iter(manifest)))
    policy = PicturePolicy(format=sent, longest=32)
    url = Studio(tmp_path / "studio").data_url(shot, manifest, policy)
    data = base64.b64decode(url.partition(",")[2])
    with Picture.open(io.BytesIO(data)) as image:
        image.load()
        assert image.size == (32, 24), "scaled to what the policy says"
        assert not image.getexif() and "icc_profile" not in image.info
        assert not {"Patient", "comment"} & set(image.info)
    assert b"JANE" not in data
    original = pictures.folder / record.images[0].path
    assert hashlib.sha256(original.read_bytes()).hexdigest() == record.images[0].sha256


def test_a_picture_is_encoded_once(pictures, tmp_path, monkeypatch):
    from lingshu_synth import studio

    drawn = []
    encode = studio.encode
    monkeypatch.setattr(studio, "encode", lambda *args: drawn.append(1) or encode(*args))
    manifest = Manifest(pictures.write([pictures.imaging(1)]))
    (shot,) = pictures_of(next(iter(manifest)))
    first = Studio(tmp_path / "s")
    urls = {first.data_url(shot, manifest, PicturePolicy()) for _ in range(3)}
    urls.add(Studio(tmp_path / "s").data_url(shot, manifest, PicturePolicy()))
    assert len(urls) == 1 and len(drawn) == 1
    first.data_url(shot, manifest, PicturePolicy(quality=50))
    assert len(drawn) == 2, "another policy is another picture"
