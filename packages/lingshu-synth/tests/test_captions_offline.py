import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.records import Caption, Imaging


@pytest.fixture
def captions(synth):
    def run(inputs, out, **settings):
        return list(Manifest(synth("captions", inputs, out, **settings)).of(Caption))

    return run


@pytest.fixture(scope="module")
def written(gallery, synth, tmp_path_factory):
    out = tmp_path_factory.mktemp("captions") / "out"
    return list(Manifest(synth("captions", gallery, out)).of(Caption))


def test_a_short_and_a_long_caption_for_every_picture(gallery, written):
    records = {record.images[0].sha256: record for record in Manifest(gallery).of(Imaging)}
    assert len(written) == 2 * len(records)
    for short, long in zip(written[::2], written[1::2], strict=True):
        record = records[short.images[0].sha256]
        assert short.images == long.images
        assert (short.tags["length"], long.tags["length"]) == ("short", "long")
        assert len(long.text) > len(short.text)
        present = [name for name, state in record.labels.items() if state == "present"]
        for text in (short.text, long.text):
            assert record.organ in text
            assert all(name in text.lower() for name in present)
        assert "edema" not in short.text


def test_the_place_of_a_region_is_said(gallery, written):
    records = {record.images[0].sha256: record for record in Manifest(gallery).of(Imaging)}
    said = 0
    for caption in written[1::2]:
        for box in records[caption.images[0].sha256].boxes:
            across = "left" if box.x < 40 else "right"
            down = "upper" if box.y < 40 else "lower"
            assert f"{down} {across} part" in caption.text
            said += 1
    assert said == 15


def test_wording_varies(written):
    openings = {" ".join(c.text.split()[:3]).lower() for c in written if c.tags["length"] == "long"}
    assert len(openings) >= 4


def test_provenance_says_that_no_model_wrote(written):
    for caption in written:
        made = caption.provenance[-1]
        assert (made.model, made.endpoint) == ("offline-writer", "offline")
        assert made.prompt is None


@pytest.mark.parametrize(
    "field", ["age", "Patient Age", "PatientID", "patient_name", "race", "ethnicity", "sex", "MRN"]
)
def test_personal_metadata_never_gets_into_a_caption(pictures, tmp_path, field, captions):
    record = pictures.imaging(1, metadata={field: "SECRET", "stain": "PAS"})
    for caption in captions(pictures.write([record]), tmp_path / "out"):
        assert "SECRET" not in caption.text


def test_absent_findings_are_named_but_not_all(pictures, tmp_path, captions):
    labels = {f"finding{n}": "absent" for n in range(14)}
    _, long = captions(pictures.write([pictures.imaging(1, labels=labels)]), tmp_path / "out")
    assert 1 <= long.text.count("finding") <= 3


def test_per_modality_limits_each(gallery, tmp_path, captions):
    written = captions(gallery, tmp_path / "out", per_modality=7, short=False)
    counts = {m: sum(1 for c in written if c.modality == m) for m in ("ct", "mri", "xray")}
    assert counts == {"ct": 7, "mri": 7, "xray": 7}


def test_a_card_that_says_nothing_of_a_picture_leaves_the_long_caption(
    pictures, tmp_path, captions
):
    cards = tmp_path / "cards"
    cards.mkdir()
    record = pictures.imaging(1)
    card = '[[sentences]]\nwordings = ["Stained with ${stain}."]\n'
    (cards / f"{record.source.dataset}.toml").write_text(card, encoding="utf-8")
    written = captions(pictures.write([record]), tmp_path / "out", cards=str(cards))
    assert [caption.tags["length"] for caption in written] == ["long"]
