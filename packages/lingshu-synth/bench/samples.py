"""Samples of every generator from real datasets, with pages to look at.

Reads datasets as their publishers lay them out (by the command `lingshu-data ingest`), makes
captions and template questions of pictures and volumes without a model, and asks an endpoint for
what needs one: the mock of the tests, whose texts are nonsense, or a real one.

    python packages/lingshu-synth/bench/samples.py --data DIR --out DIR [--endpoint URL --model M]

Each has its own page; `DIR/index.html` shows all of them. Counts and the time go into the results.
Originals are hashed before and after.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from _mock import mock, save

from lingshu_core.page import PAGE_NAME, Section, write_page
from lingshu_core.panels import read_stats

PICTURES = {
    "bccd": "03_boxes_bccd",
    "pyradiomics": "04_masks_3d",
    "totalsegmentator-ct": "04_masks_3d",
    "brain-tumor-detection": "05_labels_brainmri",
    "nih-chest-xray": "06_nih_cxr14",
}
EXAMS = {"medmcqa": "09_textqa/medmcqa", "medqa": "09_textqa/medqa_usmle"}
TALKS = {"chatdoctor5k": "11_dialogues/chatdoctor", "mts-dialog": "11_dialogues/mts_dialog"}
CAPTIONED = ("rocov2", "01_captions_rocov2_ccby")
ASKED = ("vqa-rad", "07_vqa_rad")
"""Real questions, of which two go along with every call of self-instruction."""
MOCK = "mock"
"""What the endpoint of the tests is called."""
PARTS = {"captions": PICTURES, "vqa": PICTURES, "ocr": EXAMS, "dialogues": TALKS}
WAYS = {"captions": (False, True), "vqa": (False,), "ocr": (True,), "dialogues": (True,)}
"""Whether each is made with a model, without, or both."""


def main() -> int:
    """Makes all samples; says whether the originals are as they were."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--limit", type=int, default=30)
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--model", default=MOCK)
    options = parser.parse_args()
    if options.data is None or options.out is None:
        print("skipped: give --data DIR --out DIR")
        return 0
    before = fingerprint(options.data)
    begun = time.perf_counter()
    with mock() if not options.endpoint else nullcontext((None, None)) as (server, _):
        rows = make_all(options, options.endpoint or server.url)
    untouched = fingerprint(options.data) == before
    show(options.out, rows, options.model)
    seconds = round(time.perf_counter() - begun, 1)
    save("samples", {"rows": rows, "originals_untouched": untouched, "seconds": seconds})
    return 0 if untouched else 1


def make_all(options: argparse.Namespace, url: str) -> list[dict[str, object]]:
    """Makes the samples of every generator; returns the lines of the table."""
    online = ["--endpoint", url, "--model", options.model]
    rows = []
    for name, places in PARTS.items():
        for dataset, place in places.items():
            source = ingest(dataset, options.data / place, options.out)
            for asked in WAYS[name]:
                rows.append(make(name, source, options, online if asked else []))
                print(rows[-1], flush=True)
    captions, questions = (
        ingest(dataset, options.data / place, options.out) for dataset, place in (CAPTIONED, ASKED)
    )
    rows.append(make("vqa", captions, options, [*online, "--set", f"seeds={questions}"]))
    print(rows[-1], flush=True)
    return rows


def ingest(dataset: str, place: Path, out: Path) -> Path:
    """Returns a dataset as a manifest, made once."""
    target = out / "data" / dataset
    if not target.exists():
        command("lingshu_data", "ingest", dataset, "--path", place, "--out", target)
    return target


def make(
    name: str, source: Path, options: argparse.Namespace, asked: list[str]
) -> dict[str, object]:
    """Runs a generator over a sample of a dataset and returns what came out."""
    kind = "online" if asked else "offline"
    out = options.out / f"{name}-{source.name}-{kind}"
    if not out.exists():
        limit = ["--set", f"limit={options.limit}"]
        command("lingshu_synth", name, source, "--out", out, *limit, *asked)
    counts = json.loads((out / "stats.json").read_text(encoding="utf-8"))["counts"]
    made = {"generator": name, "dataset": source.name, "model": kind}
    return made | {what: counts[what] for what in ("in", "out", "set_aside")}


def show(out: Path, rows: list[dict[str, object]], model: str) -> None:
    """Writes one page of all samples."""
    sections = []
    for row in rows:
        folder = out / f"{row['generator']}-{row['dataset']}-{row['model']}"
        way = f"by {model}" if row["model"] == "online" else "without a model"
        title = f"{row['generator']} of {row['dataset']}, {way}"
        stats = read_stats(folder).model_copy(update={"title": title})
        sections.append(Section(stats, folder))
    lead = "With frames around what is marked."
    if model == MOCK:
        lead += f" What is “by {MOCK}” holds words without sense: there the way is shown, no text."
    write_page(out / PAGE_NAME, title="Samples of real datasets", lead=lead, sections=sections)


def command(module: str, *words: object) -> None:
    """Runs a command line and ends where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{module} {words}: {done.stderr[-2000:]}")


def fingerprint(folder: Path) -> str:
    """Returns a hash over all files of the datasets."""
    total = hashlib.sha256()
    read = {path for part in PARTS.values() for path in part.values()} | {CAPTIONED[1], ASKED[1]}
    for place in sorted(read):
        for path in sorted((folder / place).rglob("*")):
            if path.is_file():
                total.update(path.relative_to(folder).as_posix().encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
