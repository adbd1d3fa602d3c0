"""A dataset annotated as COCO is comes in by its command, each split from its own folder."""

import json

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_data.ingest import ingest
from lingshu_data.settings import Running
from lingshu_data.sources.coco import Settings


@pytest.mark.parametrize("folder", ["{split}", "images/{split}"])
def test_splits_have_the_same_names_in_folders_of_their_own(tmp_path, pictures, folder):
    noise, png = pictures
    root = tmp_path / "in"
    (root / "annotations").mkdir(parents=True)
    for seed, split in enumerate(("train", "val")):
        whole = {
            "categories": [{"id": 1, "name": "Polyp"}],
            "images": [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": f"{split}-no.png"}],
            "annotations": [
                {"image_id": 1, "category_id": 1, "bbox": [5, 6, 20 + seed, 30]},
                {"image_id": 1, "category_id": 1, "bbox": [5, 6, 0, 30]},
            ],
        }
        text = json.dumps(whole)
        (root / "annotations" / f"instances_{split}.json").write_text(text, encoding="ascii")
        place = root / folder.format(split=split)
        place.mkdir(parents=True)
        (place / "1.png").write_bytes(png(noise(seed)))
    settings = Settings(modality="endoscopy", organ="colon")
    ingest("coco", root, tmp_path / "out", settings, Running())
    train, held = Manifest(tmp_path / "out")
    assert (train.source.split, held.source.split) == ("train", "validation")
    assert [record.boxes[0].width for record in (train, held)] == [20, 21]
    assert train.images[0].sha256 != held.images[0].sha256
    assert (train.labels, train.modality, train.organ) == (
        {"polyp": "present"},
        "endoscopy",
        "colon",
    )
    counts = read_stats(tmp_path / "out").counts
    assert (counts["rows"], counts["used"], counts["set_aside"]) == (4, 2, 2)
