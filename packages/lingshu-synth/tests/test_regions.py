"""Boxes, masks and volumes: where the lesion is, on the right slice, the right way up."""

import hashlib

import nibabel
import numpy as np
import pytest
from PIL import Image as Picture

from lingshu_core.manifest import Manifest
from lingshu_core.records import Box, Caption, Image, Mask, Volume
from lingshu_synth.naming import is_name
from lingshu_synth.overlay import draw_boxes
from lingshu_synth.regions import boxes_of, chosen_slices
from lingshu_synth.settings import RegionSettings
from lingshu_synth.studio import draw
from lingshu_synth.views import views

IMAGES = (Image(path="images/a.png", sha256="0" * 64, width=40, height=50),)
SETTINGS = RegionSettings(least_share=0.0, largest=1, spaced=2)


def test_every_part_of_a_mask_gets_its_smallest_box():
    plane = np.zeros((40, 60), np.uint8)
    plane[5:10, 20:32] = 1
    plane[30:33, 2:4] = 1
    plane[12:14, 50:59] = 2
    plane[39, 59] = 7  # stands for nothing
    boxes = boxes_of(plane, {"1": "cyst", "2": "mass"}, SETTINGS)
    found = [(b.x, b.y, b.width, b.height, b.label) for b in boxes]
    assert found == [(20, 5, 12, 5, "cyst"), (50, 12, 9, 2, "mass"), (2, 30, 2, 3, "cyst")]
    few = boxes_of(plane, {"1": "cyst"}, RegionSettings(least_share=0.01))
    assert len(few) == 1, "small parts are left out"


def test_slices_are_the_largest_and_evenly_spaced_ones():
    area = np.zeros(50, np.int64)
    area[10:30] = 5
    area[26] = 99
    chosen = dict(chosen_slices(area, RegionSettings(largest=1, spaced=3)))
    assert chosen[26].startswith("largest marked area, 99")
    # The third of them is the largest already.
    assert [z for z, why in chosen.items() if why == "evenly spaced"] == [13, 20]
    assert all(area[z] for z in chosen)
    empty = chosen_slices(np.zeros(50, np.int64), RegionSettings(largest=1, spaced=3))
    assert len(empty) == 4 and all(5 <= z < 45 for z, _ in empty)


def ref(path):
    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture
def volume(pictures):
    """A body with a bright ball on its left, in front and high up, in any orientation."""

    def make(orientation):
        values = np.full((40, 50, 30), 40, np.int16)  # right-anterior-superior
        values[0:2] = -1000
        seen = np.zeros_like(values, np.uint8)
        seen[5:11, 35:45, 20:25] = 1  # RAS: x grows to the right, so low x is left
        values[seen > 0] = 200
        found = {}
        for name, data in (("scan", values), ("mask", seen)):
            image = nibabel.Nifti1Image(data, np.diag([1.0, 1.0, 2.0, 1.0]))
            codes = nibabel.orientations.axcodes2ornt(orientation)
            turn = nibabel.orientations.ornt_transform(
                nibabel.orientations.io_orientation(image.affine), codes
            )
            path = pictures.folder / f"{name}-{orientation}.nii.gz"
            nibabel.save(image.as_reoriented(turn), path)
            found[name] = path
        shape = nibabel.load(found["scan"]).shape
        record = pictures.imaging(1, organ="liver").replace(
            images=(),
            volume=Volume(
                **ref(found["scan"]),
                shape=shape,
                spacing=(1.0, 1.0, 2.0),
                orientation=orientation,
            ),
            masks=(Mask(**ref(found["mask"]), labels={"1": "lesion"}),),
            labels={"lesion": "present"},
        )
        path = pictures.folder / f"in-{orientation}.jsonl"
        path.write_text(record.model_dump_json(exclude_none=True) + "\n")
        return record, Manifest(path), found["scan"]

    return make


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "LAS", "RPI", "PIR"])
def test_a_volume_is_shown_the_right_way_up_whatever_way_it_is_stored(volume, orientation):
    record, manifest, path = volume(orientation)
    items = list(views(record, manifest, SETTINGS))
    best = next(item for item in items if item.why.startswith("largest"))
    assert 20 <= int(best.view[1:]) < 25, "the slice that holds the lesion"
    shot, (box,) = best.shots[0], best.boxes
    # The viewer's right is the patient's left, and the front is above.
    assert box.x > shot.width / 2 and box.y + box.height < shot.height / 2
    image = np.asarray(draw(shot, path).convert("L")).astype(int)
    inside = image[int(box.y + 2) : int(box.y + box.height - 2), :]
    inside = inside[:, int(box.x + 2) : int(box.x + box.width - 2)]
    assert inside.mean() > image.mean() + 30, "the bright ball lies in the box"


def test_a_caption_says_which_slice_it_shows_and_why(volume, pictures, synth, tmp_path):
    _, _, path = volume("RAS")
    before = path.read_bytes()
    out = synth("captions", pictures.folder / "in-RAS.jsonl", tmp_path / "out")
    captions = list(Manifest(out).of(Caption))
    whys = {c.tags["view"]: c.tags["slice_choice"].partition(",")[0] for c in captions}
    assert set(whys.values()) == {"largest marked area", "evenly spaced"} and len(whys) > 2
    assert all(Manifest(out).file(c.images[0]).is_file() for c in captions)
    assert path.read_bytes() == before


@pytest.mark.parametrize("nameless", ["label 8", "region of interest", "Class_3", "7", "ROI"])
def test_a_region_without_a_name_is_shown_and_not_spoken_of(volume, nameless):
    record, manifest, _ = volume("RAS")
    mask = record.masks[0].model_copy(update={"labels": {"1": nameless}})
    labels = {nameless: "present", "cyst": "uncertain"}
    items = list(views(record.replace(masks=(mask,), labels=labels), manifest, SETTINGS))
    best = next(item for item in items if item.why.startswith("largest"))
    assert [box.label for box in best.boxes] == [None]
    assert all(item.record.labels == {"cyst": "uncertain"} for item in items)
    box = Box(x=1, y=1, width=5, height=5, label=nameless)
    alone = {"volume": None, "masks": (), "images": IMAGES, "labels": {nameless: "present"}}
    (item,) = views(record.replace(boxes=(box,), **alone), manifest, SETTINGS)
    assert item.record.labels == {} and item.boxes[0].label is None


@pytest.mark.parametrize("name", ["T2 lesion", "L1", "label", "mass", "class II"])
def test_other_labels_are_names(name):
    assert is_name(name)


def test_a_slice_without_the_lesion_does_not_claim_it(volume):
    record, manifest, _ = volume("RAS")
    for item in views(record, manifest, RegionSettings(largest=0, spaced=2)):
        assert (item.record.labels["lesion"] == "present") is bool(item.boxes)


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 64, 129)])
def test_frames_are_seen_on_any_ground_and_cover_nothing(ground):
    image = Picture.new("RGB", (120, 90), ground)
    drawn = draw_boxes(image, [Box(x=30, y=20, width=40, height=30, label="a")])
    changed = np.abs(np.asarray(drawn).astype(int) - np.array(ground)).max(axis=2)
    assert changed.max() > 100
    assert not changed[20:50, 30:70].any(), "the region itself is untouched"
    assert changed[18, 40] or changed[19, 40], "the frame lies around it"
    assert image.getextrema() == tuple((c, c) for c in ground), "the original is as it was"


def test_two_labels_have_two_colours():
    image = Picture.new("L", (120, 90), 90)
    boxes = [Box(x=20, y=20, width=20, height=20, label=name) for name in ("a", "b")]
    one, two = (draw_boxes(image, boxes[:n]) for n in (1, 2))
    assert one.tobytes() != two.tobytes()


def test_boxes_that_come_with_their_mask_are_shown_once(pictures, synth, tmp_path):
    plane = Picture.new("L", (96, 80), 0)
    plane.paste(1, (10, 12, 30, 40))
    plane.paste(1, (60, 50, 80, 70))
    path = pictures.folder / "images" / "mask.png"
    boxes = [{"x": 10, "y": 12, "width": 20, "height": 27.5, "label": "Cyst"}]
    record = pictures.imaging(1, labels={"cyst": "present"}, boxes=boxes)
    plane.save(path)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    mask = Mask(path="images/mask.png", sha256=sha, labels={"1": "cyst"})
    manifest = Manifest(pictures.write([record.replace(masks=(mask,))]))
    (item,) = views(next(iter(manifest)), manifest, SETTINGS)
    assert [(b.x, b.y, b.height) for b in item.boxes] == [(10, 12, 27.5), (60, 50, 20)]
    out = synth("captions", tmp_path / "in", tmp_path / "out", short=False)
    assert any(words in next(iter(Manifest(out))).text for words in ("2 times", "2 places"))


def test_a_mask_of_another_size_is_an_error_of_that_record(pictures, synth, tmp_path):
    path = pictures.folder / "images" / "mask.png"
    good = pictures.imaging(1)
    Picture.new("L", (10, 10), 1).save(path)
    mask = Mask(
        path="images/mask.png",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        labels={"1": "cyst"},
    )
    broken = pictures.imaging(2).replace(masks=(mask,))
    out = synth("captions", pictures.write([good, broken]), tmp_path / "out")
    (aside,) = Manifest(out / "set-aside")
    assert aside.tags["reason"] == "unreadable" and "10 x 10" in aside.tags["detail"]
