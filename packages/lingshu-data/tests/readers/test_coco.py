"""Annotations in the COCO layout."""

import json

from lingshu_data.reader import Broken
from lingshu_data.readers.coco import Coco

READER = Coco(("ann_*.json",), {"val": "validation"})


def test_pictures_come_with_their_objects_and_a_broken_file_is_one_broken_row(tmp_path):
    whole = {
        "categories": [{"id": 4, "name": "polyp"}],
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2}, {"id": 3, "file_name": "c.png"}],
        "annotations": [
            {"image_id": 3, "category_id": 4, "bbox": [1, 2, 3, 4]},
            {"image_id": 3, "category_id": 5, "bbox": [5, 6, 7, 8]},
        ],
    }
    (tmp_path / "ann_1_val.json").write_text(json.dumps(whole), encoding="ascii")
    (tmp_path / "ann_2.json").write_text('{"images": [', encoding="ascii")
    (tmp_path / "ann_3.json").write_text(json.dumps({**whole, "annotations": [7]}))
    first, second, third, cut, wrong = READER.entries(tmp_path, None)
    assert first.values == {"path": "a.png", "split": "validation", "objects": []}
    assert second == Broken("ann_1_val.json:images[1]", "has no file_name or id")
    assert third.values["objects"] == [
        {"name": "polyp", "bbox": [1, 2, 3, 4]},
        {"name": None, "bbox": [5, 6, 7, 8]},
    ]
    assert [row.place for row in (cut, wrong)] == ["ann_2.json", "ann_3.json"]
