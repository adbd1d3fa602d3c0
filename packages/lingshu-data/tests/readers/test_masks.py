"""Pictures with mask pictures, and what their records say of them."""

import numpy as np
from PIL import Image as Pillow

from lingshu_core.records import Source
from lingshu_data.imaging import Pictures
from lingshu_data.intake import Intake
from lingshu_data.readers.masks import MaskPictures

READER = MaskPictures("img/{name}.png", masks=("seg/{name}.png", "seg/{name}_*.png"))


def draw(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.asarray(values, np.uint8)).save(path)


def test_masks_are_found_and_become_boxes(tmp_path):
    draw(tmp_path / "img" / "a.png", np.random.default_rng(0).integers(0, 255, (80, 90)))
    outline = np.zeros((80, 90))
    outline[10:20, 30:50] = 255
    draw(tmp_path / "seg" / "a.png", outline)
    draw(tmp_path / "seg" / "a_2.png", np.zeros((80, 90)))
    draw(tmp_path / "img" / "b.png", np.ones((80, 90)))
    with_masks, without = READER.entries(tmp_path, None)
    assert with_masks.values["masks"] == ["seg/a.png", "seg/a_2.png"]
    assert without.values == {"name": "b", "path": "img/b.png", "masks": []}
    intake = Intake(Source(dataset="toy", licence="CC0-1.0"), tmp_path, tmp_path / "store")
    (record,) = Pictures(modality="ultrasound", masks={"*": "tumour"})(with_masks, intake)
    (box,) = record.boxes
    assert (box.label, box.x, box.y, box.width, box.height) == ("tumour", 30, 10, 20, 10)
    assert [mask.labels for mask in record.masks] == [{"255": "tumour"}]
    assert intake.notes == {"mask without a region": 1}
