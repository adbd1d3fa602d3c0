"""What goes wrong in a run costs what is broken and nothing else, and the run goes on."""

import io
import json
import random

import numpy as np
import pytest
from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_core.panels import read_stats
from lingshu_data.curate import curate
from lingshu_data.ingest import ingest
from lingshu_data.pictures import FORMATS
from lingshu_data.settings import CurateSettings, Running
from lingshu_data.source import SOURCES


def test_a_broken_picture_of_every_format_costs_itself(tmp_path):
    root, dice = tmp_path / "in", random.Random(0)
    root.mkdir()
    values = np.random.default_rng(0).integers(0, 255, (70, 90, 3), dtype=np.uint8)
    suffixes = {"JPEG": "jpg", "JPEG2000": "jp2", "TIFF": "tif"}
    for kind in FORMATS:
        buffer = io.BytesIO()
        Pillow.fromarray(values + np.uint8(len(kind))).save(buffer, kind)
        data, suffix = buffer.getvalue(), suffixes.get(kind, kind.lower())
        if suffix in {"ppm", "jp2"}:
            suffix = "png"  # what a file is called decides nothing about what it is
        for place in range(5):
            noisy = bytearray(data)
            for _ in range(1 + place * 20):
                noisy[dice.randrange(len(noisy))] = dice.randrange(256)
            (root / f"{kind}-noisy-{place}.{suffix}").write_bytes(noisy)
        (root / f"{kind}-cut.{suffix}").write_bytes(data[: len(data) // 2])
        (root / f"{kind}-empty.{suffix}").write_bytes(b"")
        (root / f"{kind}-whole.{suffix}").write_bytes(data)
    settings = SOURCES.get("pictures").settings()
    ingest("pictures", root, tmp_path / "read", settings, Running())
    counts = read_stats(tmp_path / "read").counts
    assert counts["rows"] == 8 * len(FORMATS) == counts["used"] + counts["set_aside"]
    curate(
        [tmp_path / "read"],
        tmp_path / "clean",
        CurateSettings(steps=({"operator": "picture-filter"}, {"operator": "picture-dedup"})),
        Running(),
    )
    cleaned = read_stats(tmp_path / "clean").counts
    assert cleaned["in"] == cleaned["kept"] + cleaned["dropped"] + cleaned["set_aside"]
    assert cleaned["kept"] > 0


def test_a_manifest_of_a_newer_version_is_refused_with_what_to_do(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    toy.imaging(png(noise(1)))
    toy.close()
    header = tmp_path / "in" / "manifest.json"
    said = json.loads(header.read_text(encoding="utf-8"))
    name, _, number = said["format"].rpartition("/")
    said["format"] = f"{name}/{int(number) + 1}"
    header.write_text(json.dumps(said), encoding="utf-8")
    steps = ({"operator": "picture-filter"},)
    with pytest.raises(DataError, match=r"is newer than .* upgrade"):
        curate([tmp_path / "in"], tmp_path / "out", CurateSettings(steps=steps), Running())
    assert not (tmp_path / "out").exists()
