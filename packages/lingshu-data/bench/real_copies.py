"""Ingests real copies of datasets, and compares what came in with a count of the raw files.

The counts beside the records are made here with the standard library alone, from the files
themselves, so that a reader that loses or doubles rows is seen.

    python packages/lingshu-data/bench/real_copies.py --data DIR [--keep OUT]

DIR holds the folders that `COPIES` names; one that is not there is left out and said so.
"""

import argparse
import csv
import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "real_copies.json"


def lines(*patterns: str, head: int = 0) -> Callable[[Path], int]:
    """Counts lines that hold something, the first `head` of a file left out."""
    return lambda root: sum(
        sum(1 for line in path.read_text(encoding="utf-8").split("\n") if line.strip()) - head
        for path in globbed(root, patterns)
    )


def files(*patterns: str) -> Callable[[Path], int]:
    """Counts files."""
    return lambda root: len(list(globbed(root, patterns)))


def items(*patterns: str) -> Callable[[Path], int]:
    """Counts the items of JSON files that hold a list or an object of lists."""

    def count(root: Path) -> int:
        total = 0
        for path in globbed(root, patterns):
            data = json.loads(path.read_text(encoding="utf-8"))
            total += len(data)
        return total

    return count


def rows(*patterns: str, header: bool = True) -> Callable[[Path], int]:
    """Counts rows of CSV files, packed ones too."""

    def count(root: Path) -> int:
        total = 0
        for path in globbed(root, patterns):
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8", newline="") as file:
                total += sum(1 for _ in csv.reader(file)) - header
        return total

    return count


def answered(root: Path) -> int:
    """Counts the question pairs of MedQuAD that have an answer."""
    found = 0
    for path in root.glob("*/*.xml"):
        text = path.read_text(encoding="utf-8")
        found += text.count("<QAPair ") - len(re.findall(r"<Answer>\s*</Answer>|<Answer/>", text))
    return found


def globbed(root: Path, patterns: Iterable[str]) -> Iterable[Path]:
    """Yields the files below a root that match."""
    for pattern in patterns:
        yield from sorted(root.glob(pattern))


@dataclass(frozen=True)
class Copy:
    """A copy of a dataset: its source, its folder, and how its raw rows or records are counted."""

    source: str
    folder: str
    count: Callable[[Path], int]
    what: str = "rows"
    settings: tuple[str, ...] = ()


TEXTS = ("pictures=false",)
COPIES = (
    Copy("rocov2", "01_captions_rocov2_ccby", lines("captions.jsonl")),
    Copy("roco", "02_captions_text_roco_ccby", lines("captions.tsv", head=1), settings=TEXTS),
    Copy("bccd", "03_boxes_bccd", files("BCCD/Annotations/*.xml")),
    Copy("pyradiomics", "04_masks_3d", files("*/*image.nrrd", "*/*volume.nrrd")),
    Copy("totalsegmentator_ct", "04_masks_3d", files("*/example_ct*.nii.gz")),
    Copy("totalsegmentator_mr", "04_masks_3d", files("*/example_mr*.nii.gz")),
    Copy("brain_tumor_detection", "05_labels_brainmri", files("yes/*.*", "no/*.*")),
    Copy(
        "nih_chest_xray",
        "06_nih_cxr14",
        files("images/*.png"),
        what="records",
    ),
    Copy("vqa_rad", "07_vqa_rad", items("trainset.json", "testset.json")),
    Copy("slake", "08_vqa_text/slake", items("*.json"), settings=TEXTS),
    Copy("vqa_med_2019", "08_vqa_text/vqa_med_2019", lines("*.txt"), settings=TEXTS),
    Copy("path_vqa", "08_vqa_text/pathvqa", items("*.json"), settings=TEXTS),
    Copy("medmcqa", "09_textqa/medmcqa", lines("*.json")),
    Copy("medqa", "09_textqa/medqa_usmle", lines("*.jsonl")),
    Copy("medxpertqa", "09_textqa/medxpertqa", lines("*.jsonl"), settings=TEXTS),
    Copy("mmlu_medical", "09_textqa/mmlu_medical", rows("*.csv", header=False)),
    Copy("pubmedqa", "09_textqa/pubmedqa", items("ori_pqal.json")),
    Copy("medquad", "10_medquad", answered, what="records"),
    Copy("aci_bench", "11_dialogues/aci_bench", rows("valid.csv")),
    Copy("chatdoctor5k", "11_dialogues/chatdoctor", items("*.json")),
    Copy("mts_dialog", "11_dialogues/mts_dialog", rows("main/*.csv")),
    Copy("mts_dialog_augmented", "11_dialogues/mts_dialog", rows("aug*.csv")),
    Copy("primock57", "11_dialogues/primock57", files("notes/*.json")),
    Copy("dicom", "12_dicom", files("*.dcm")),
    Copy("pictures", "12_dicom/skimage", files("*.*")),
    Copy("volumes", "12_dicom/nibabel", files("*.nii.gz", "*.nii")),
)


def main() -> None:
    """Prints a line a copy, and exits with 1 where a count differs."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--data", type=Path, required=True)
    words.add_argument("--keep", type=Path, help="folder for the manifests")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = given.keep or Path(scratch)
        table = [measured(copy, given.data, out) for copy in COPIES if present(copy, given.data)]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    sys.exit("a count differs" if any(row["counted"] != row["read"] for row in table) else 0)


def present(copy: Copy, data: Path) -> bool:
    """Tells whether a copy is there, and says so where it is not."""
    there = (data / copy.folder).is_dir()
    if not there:
        print(f"{copy.source:24} not there")
    return there


def measured(copy: Copy, data: Path, out: Path) -> dict[str, str | int | float]:
    """Ingests one copy."""
    root, target = data / copy.folder, out / copy.source
    command = [sys.executable, "-m", "lingshu_data", "ingest", copy.source, "--path", str(root)]
    command += ["--out", str(target), "--workers", "2"]
    for setting in copy.settings:
        command += ["--set", setting]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    counts = json.loads((target / "stats.json").read_text(encoding="utf-8"))["counts"]
    row: dict[str, str | int | float] = {
        "dataset": copy.source,
        "of": copy.what,
        "counted": copy.count(root),
        "read": counts[copy.what],
        "set_aside": counts["set_aside"],
        "records": counts["records"],
        "seconds": round(time.monotonic() - started, 1),
    }
    print("  ".join(f"{value!s:>8}" for value in row.values()), flush=True)
    return row


if __name__ == "__main__":
    main()
