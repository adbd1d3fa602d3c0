"""Ingests and curates a folder of many real datasets into one mixture, and shows it on one page.

Every copy that `real_copies.py` knows is ingested; what is known of the files is checked in what
came in; then all of it goes through the paper's cleaning at once, the publishers' test parts are
held out, what overlaps with them is dropped, and the rest becomes a mixture.

    python packages/lingshu-data/bench/all_data.py --data DIR --out OUT

Given again, it goes on where it stopped. The page is `OUT/page/index.html`.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image as Pillow
from real_copies import COPIES, measured, present

from lingshu_core.manifest import Manifest
from lingshu_core.records import Imaging

RESULTS = Path(__file__).parent / "results" / "all_data.json"
CURATE = """
[[steps]]
operator = "picture-filter"
domains = ["medical"]
pictured = true
[[steps]]
label = "picture-dedup of captions and pictures"
operator = "picture-dedup"
types = ["caption", "imaging"]
within = ["type"]
[[steps]]
operator = "caption-length"
types = ["caption"]
[[steps]]
operator = "dialogue-cleaning"
datasets = ["chatdoctor5k"]
action = "replace"
[[steps]]
operator = "text-dedup"
types = ["question", "instruction", "dialogue", "report"]
pictured = false
within = ["language", "type"]
"""
MIX = """
stage = "everything"
without_splits = ["test"]
[[takes]]
name = "with pictures"
pictured = true
[[takes]]
name = "text"
pictured = false
"""
STEPS = ("curated", "clean", "mixture")
NO_DATASET = {"09_textqa/mmmu": "answers without their questions"}
"""Folders that hold no dataset, and why."""


def main() -> None:
    """Prints and writes what came in and what became of it; exits with 1 where a check fails."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--data", type=Path, required=True)
    words.add_argument("--out", type=Path, required=True)
    given = words.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    copies = [copy for copy in COPIES if present(copy, given.data)]
    rows = [measured(copy, given.data, given.out / "read") for copy in copies]
    read = given.out / "read"
    checks = {name: check(given.data, read) for name, check in CHECKS.items()}
    checks["every count is as in the files"] = all(row["counted"] == row["read"] for row in rows)
    checks["no folder is left out"] = left_out(given.data) == []
    counts = run(given.out, [given.out / "read" / copy.source for copy in copies])
    for step in STEPS:
        found = counts[step]
        # The mixture takes nothing twice, so that its records are those that were kept.
        kept = found["records"] if step == "mixture" else found["kept"]
        whole = kept + found["dropped"] + found["set_aside"]
        checks[f"the ledger of {step} has no gap"] = found["in"] == whole
    table = [{key: row[key] for key in ("dataset", "records", "set_aside")} for row in rows]
    result = {"checks": checks, "counts": counts, "read": table}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"checks": checks, "counts": counts}, indent=1))
    print(f"page: {given.out / 'page' / 'index.html'}")
    sys.exit(0 if all(checks.values()) else "a check fails")


def run(out: Path, read: list[Path]) -> dict[str, dict[str, int]]:
    """Takes all manifests to one mixture, and returns the counts of every step."""
    for name, text in {"curate": CURATE, "mix": MIX}.items():
        (out / f"{name}.toml").write_text(text, encoding="utf-8")
    steps = out / "steps"
    train, held = [], []
    for path in read:
        found = {record.source.split for record in Manifest(path)}
        if "test" not in found:
            train.append(path)
            continue
        parts = out / "parts" / path.name
        lingshu("lingshu_core", "manifest", "split", path, "--out", parts)
        train += [parts / str(split) for split in sorted(map(str, found)) if split != "test"]
        held.append(parts / "test")
    data = "lingshu_data"
    lingshu(data, "curate", *train, "--recipe", out / "curate.toml", "--out", steps / "curated")
    against = [word for path in held for word in ("--against", path)]
    lingshu(data, "decontaminate", steps / "curated", *against, "--out", steps / "clean")
    lingshu(data, "mix", steps / "clean", "--recipe", out / "mix.toml", "--out", steps / "mixture")
    lingshu(data, "report", steps, *train, *held, "--out", out / "page")
    return {name: counts_of(steps / name) for name in STEPS}


def lingshu(package: str, *words: str | Path) -> None:
    """Runs a command."""
    subprocess.run([sys.executable, "-m", package, *map(str, words)], check=True)


def counts_of(manifest: Path) -> dict[str, int]:
    """Returns the counts of a step."""
    found = json.loads((manifest / "stats.json").read_text(encoding="utf-8"))["counts"]
    return {name: int(value) for name, value in found.items()}


def left_out(data: Path) -> list[str]:
    """Returns the folders of the data that no copy reads and nothing excuses."""
    read = {copy.folder.split("/")[0] for copy in COPIES}
    deeper = {copy.folder for copy in COPIES if "/" in copy.folder}
    found = [path.name for path in data.iterdir() if path.is_dir() and path.name not in read]
    for folder in {name.split("/")[0] for name in deeper} - {
        copy.folder for copy in COPIES if "/" not in copy.folder
    }:
        inner = (path for path in (data / folder).iterdir() if path.is_dir())
        found += [
            f"{folder}/{path.name}" for path in inner if f"{folder}/{path.name}" not in deeper
        ]
    return [name for name in found if name not in NO_DATASET]


def empty_answers(data: Path, read: Path) -> bool:
    """Compares the records of MedQuAD with its pairs, those without an answer left out."""
    texts = [path.read_text(encoding="utf-8") for path in (data / "10_medquad").glob("*/*.xml")]
    pairs = sum(text.count("<QAPair ") for text in texts)
    empty = sum(len(re.findall(r"<Answer>\s*</Answer>|<Answer/>", text)) for text in texts)
    return empty > 0 and len(Manifest(read / "medquad")) == pairs - empty


def flat_boxes(data: Path, read: Path) -> bool:
    """Compares the boxes of BCCD with those of its files that have an area."""
    sides = re.compile(
        r"<xmin>(\d+)</xmin>\s*<ymin>(\d+)</ymin>\s*<xmax>(\d+)</xmax>\s*<ymax>(\d+)</ymax>"
    )
    boxes = [
        tuple(map(int, found))
        for path in (data / "03_boxes_bccd/BCCD/Annotations").glob("*.xml")
        for found in sides.findall(path.read_text(encoding="utf-8"))
    ]
    flat = sum(right <= left or low <= top for left, top, right, low in boxes)
    kept = sum(len(record.boxes) for record in pictured(read / "bccd"))
    return flat == 2 and kept == len(boxes) - flat


def odd_modes(data: Path, read: Path) -> bool:
    """Looks whether pictures with palettes or transparency came in with all others."""
    files = [path for path in (data / "05_labels_brainmri").glob("*/*") if path.is_file()]
    modes = Counter(Pillow.open(path).mode for path in files)
    root = read / "brain_tumor_detection"
    opened = [Pillow.open(root / record.images[0].path) for record in pictured(root)]
    came = Counter(image.mode for image in opened)
    return bool(modes["P"] or modes["RGBA"]) and came.total() == modes.total() == 253


def inverted(data: Path, read: Path) -> bool:
    """Looks whether what is bright in a MONOCHROME1 file is dark in its picture."""
    found = []
    for path in (data / "12_dicom").glob("*.dcm"):
        raw = pydicom.dcmread(path)
        if raw.get("PhotometricInterpretation") == "MONOCHROME1":
            shape = raw.pixel_array.shape
            same = [
                np.asarray(Pillow.open(read / "dicom" / record.images[0].path).convert("L"))
                for record in pictured(read / "dicom")
                if (record.images[0].height, record.images[0].width) == shape
            ]
            likeness = [np.corrcoef(raw.pixel_array.ravel(), one.ravel())[0, 1] for one in same]
            found.append(min(likeness, default=1.0) < -0.5)
    return bool(found) and all(found)


def frames(data: Path, read: Path) -> bool:
    """Looks whether frames of files with several became pictures that say which they are."""
    several = [
        int(raw.NumberOfFrames)
        for path in (data / "12_dicom").glob("*.dcm")
        if int((raw := pydicom.dcmread(path, stop_before_pixels=True)).get("NumberOfFrames", 1)) > 1
        and raw.Modality != "SEG"
    ]
    places = [
        image.frame if image.frame is not None else image.slice
        for record in pictured(read / "dicom")
        for image in record.images
        if image.frame is not None or image.slice is not None
    ]
    return bool(several) and len(set(places)) > 1


def masked(data: Path, read: Path) -> bool:
    """Looks whether every volume that has a mask file came in with masks and boxes of slices."""
    found = []
    for name in ("pyradiomics", "totalsegmentator_ct", "totalsegmentator_mr"):
        records = list(pictured(read / name))
        found.append(any(record.masks for record in records))
        found.append(any(record.boxes for record in records))
    return all(found)


def pictured(manifest: Path) -> Iterator[Imaging]:
    """Yields the records of a manifest of imaging."""
    for record in Manifest(manifest):
        if isinstance(record, Imaging):
            yield record


CHECKS: dict[str, Callable[[Path, Path], bool]] = {
    "MedQuAD: questions without an answer are left out": empty_answers,
    "BCCD: two boxes without an area are left out": flat_boxes,
    "brain MRI: palettes and transparency come in": odd_modes,
    "DICOM: MONOCHROME1 is turned": inverted,
    "DICOM: files of several frames": frames,
    "volumes come with masks and boxes": masked,
}


if __name__ == "__main__":
    main()
