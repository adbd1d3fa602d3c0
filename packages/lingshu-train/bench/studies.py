"""Both studies of the paper on the nano model, each by its one command: what they show.

Issue 7, section 5: an ablation `--without medical-text` (the paper's Table 10) and data scaling at
25, 50, 75 and 100 % (its Figure 10), on nano and drawn. The mixture: questions on nano's pictures,
written by the project's own commands, and questions without pictures, on which class an invented
drug is of. Held out are other pictures, and the same drugs asked for in other words. What has to
hold: leaving texts out costs answers on texts and the whole mixture is the best there, and the
held-out loss falls with every share.

    python packages/lingshu-train/bench/studies.py --keep DIR
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from _gpu_work import random_words

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.panels import read_stats
from lingshu_core.records import Question, Source

RESULTS = Path(__file__).parent / "results" / "studies.json"
SHARES = (25, 50, 75, 100)
DRUGS, AGAIN = 24, 8
CLASSES = ("antibiotic", "analgesic", "sedative", "diuretic")
ASKED = ("To which class does {} belong?", "{} is which kind of drug?", "Name the class of {}.")
HELD_OUT = "Which class of drug is {}?"


def lingshu(*words: object) -> None:
    """Runs one of the project's commands."""
    command, *rest = map(str, words)
    path = Path(sys.executable).parent / command
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([path, *rest], env=environment, check=True)


def questions(folder: Path, views: int) -> None:
    """Writes the questions on pictures, to learn from and held out."""
    lingshu("lingshu-data", "ingest", "nano", "--out", folder / "ingest", "--set", f"views={views}")
    lingshu("lingshu", "manifest", "split", folder / "ingest", "--out", folder / "split")
    for part, each in (("train", 5), ("test", 3)):
        lingshu("lingshu-synth", "vqa", folder / "split" / part, "--out", folder / f"vqa-{part}",
                "--set", f"per_record={each}", "--set", "options=2",
                "--set", "mix.open=0.5")  # fmt: skip


def texts(ways: tuple[str, ...], again: int) -> list[Question]:
    """Returns questions on every drug, asked for in some ways, each again and again."""
    rng = np.random.default_rng(0)
    drugs = [random_words(rng, 1).rstrip(".") for _ in range(DRUGS)]
    source = Source(dataset="drugs", licence="CC0-1.0")
    return [
        Question(
            id=record_id("drugs", f"{way} {number} {time}"), source=source, modality=Modality.TEXT,
            question=way.format(drug), answer=CLASSES[number % len(CLASSES)], answer_kind="open",
        )
        for time in range(again)
        for number, drug in enumerate(drugs)
        for way in ways
    ]  # fmt: skip


def join(shown: Path, plain: list[Question], out: Path) -> None:
    """Writes questions with and without pictures as one manifest."""
    producer = Producer(package="bench", version="0", command="studies", settings="0" * 64)
    source = Manifest(shown)
    with ManifestWriter(out, producer=producer) as writer:
        for record in source:
            writer.write(record, source=source)
        for record in plain:
            writer.write(record)


def study(command: str, folder: Path, *words: object) -> dict[str, float]:
    """Runs a study and returns its figures."""
    out = folder / command
    lingshu(
        "lingshu-train", command, "nano/instruction", *words, "--out", out,
        "--set", f"mixture={folder / 'mixture'}", "--set", f"parent={folder / 'base'}",
        "--set", f"heldout={folder / 'heldout'}", "--set", "evaluation.samples=4000",
        "--set", "evaluation.generations=0",
    )  # fmt: skip
    stats = read_stats(out)
    assert (out / "index.html").is_file()
    return {**stats.counts, **stats.figures}


def found_of(ablation: dict[str, Any], scaling: dict[str, Any]) -> dict[str, Any]:
    """Returns the figures that are kept, and whether they are as they have to be."""
    names = {"whole": "whole", "without": "without-medical-text"}
    losses = [scaling[f"share-{share:03} loss"] for share in SHARES]
    kept = {
        "ablation": {
            name: {key.removeprefix(f"{run} "): round(value, 4)
                   for key, value in ablation.items() if key.startswith(run)}
            for name, run in names.items()
        },
        "scaling": {
            str(share): {key.removeprefix(f"share-{share:03} "): round(value, 4)
                         for key, value in scaling.items() if key.startswith(f"share-{share:03}")}
            for share in SHARES
        },
    }  # fmt: skip
    fewer = ablation["whole open"] > ablation["without-medical-text open"]
    falls = all(after < before for before, after in pairwise(losses))
    return {**kept, "met": fewer and falls}


def main() -> int:
    """Prints the figures, writes them, and says whether they are as they have to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="where the pages stay")
    parser.add_argument("--views", type=int, default=400, help="of nano's pictures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        if not (folder / "base").is_dir():
            questions(folder, given.views)
            join(folder / "vqa-train", texts(ASKED, AGAIN), folder / "mixture")
            join(folder / "vqa-test", texts((HELD_OUT,), 1), folder / "heldout")
            lingshu("lingshu-train", "init", "nano/model", "--corpus", folder / "mixture",
                    "--out", folder / "base")  # fmt: skip
        ablation = study("ablate", folder, "--without", "medical-text")
        scaling = study("scale", folder, "--shares", ",".join(map(str, SHARES)))
    found = found_of(ablation, scaling)
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
