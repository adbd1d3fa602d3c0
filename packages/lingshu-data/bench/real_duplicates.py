"""Finds the duplicates that real datasets are known to hold, and checks them without the package.

Pictures are counted here by their SHA-256, texts compared by sets of words, pair by pair.

    python packages/lingshu-data/bench/real_duplicates.py --data DIR

DIR holds `05_labels_brainmri`, `03_boxes_bccd`, `07_vqa_rad`, `11_dialogues/mts_dialog`.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from lingshu_core.manifest import Manifest
from lingshu_core.records import RecordBase
from lingshu_data.texts import words_of

RESULTS = Path(__file__).parent / "results" / "real_duplicates.json"
PICTURES = {
    "05_labels_brainmri": "brain_tumor_detection",
    "03_boxes_bccd": "bccd",
    "07_vqa_rad": "pictures",
}
"""Folder, and the source that reads it: of VQA-RAD the pictures alone, each once."""
DIALOGUES = "11_dialogues/mts_dialog"
THRESHOLD, RUN = 0.7, 3


def main() -> None:
    """Writes the counts, and exits with 1 where one is not as it is known to be."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--data", type=Path, required=True)
    data = words.parse_args().data
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        found = {place: pictures(name, data / place, out) for place, name in PICTURES.items()}
        found[DIALOGUES] = dialogues(data / DIALOGUES, out)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    sys.exit(0 if as_known(found) else "a count is not as it is known to be")


def as_known(found: dict[str, dict[str, Any]]) -> bool:
    """Compares what was found with what the files hold."""
    brain, texts = found["05_labels_brainmri"], found[DIALOGUES]
    return (
        (brain["pictures"], brain["dropped"], brain["byte_equal"]) == (253, 37, 25)
        and all(found[place]["byte_equal"] == found[place]["copies_of_files"] for place in PICTURES)
        and found["03_boxes_bccd"]["dropped"] == found["07_vqa_rad"]["dropped"] == 0
        and texts["byte_equal"] == texts["byte_equal_found"] == 1226
        and texts["pairs_of_back_translations_found"] == texts["pairs_of_back_translations"] > 0
        and texts["groups_as_all_pairs_say"]
    )


def run(*words: str | Path) -> None:
    """Runs the package's command."""
    command = [sys.executable, "-m", "lingshu_data", *map(str, words)]
    subprocess.run(command, check=True, capture_output=True)


def curated(name: str, inputs: list[Path], out: Path, step: str) -> Path:
    """Runs one operator over manifests."""
    recipe = out / f"{name}.toml"
    recipe.write_text(f"steps = [{{ {step} }}]\n", encoding="utf-8")
    run("curate", *inputs, "--recipe", recipe, "--out", out / f"{name}-clean")
    return out / f"{name}-clean"


def pictures(name: str, root: Path, out: Path) -> dict[str, Any]:
    """Deduplicates the pictures of one dataset by perceptual hash at distance 0."""
    run("ingest", name, "--path", root, "--out", out / name)
    hashes = [record.images[0].sha256 for record in Manifest(out / name)]
    clean = curated(name, [out / name], out, 'operator = "picture-dedup"')
    reasons = Counter(r.tags["dropped_reason"] for r in Manifest(clean / "dropped"))
    return {
        "pictures": len(hashes),
        "copies_of_files": len(hashes) - len(set(hashes)),
        "dropped": reasons.total(),
        "byte_equal": reasons["same bytes"],
        "by_looks": reasons["same perceptual hash"],
    }


def dialogues(root: Path, out: Path) -> dict[str, Any]:
    """Deduplicates the conversations and their translations there and back by their texts.

    Short texts are compared by their runs as well: the operator does not do so unless asked, since
    texts of five words agree by chance.
    """
    names = ["mts_dialog", "mts_dialog_augmented"]
    for name in names:
        run("ingest", name, "--path", root, "--out", out / name)
    step = f'operator = "text-dedup", threshold = {THRESHOLD}, words = {RUN}, least_words = 1'
    clean = curated("dialogues", [out / name for name in names], out, step)
    originals, translated = (list(Manifest(out / name)) for name in names)
    records = originals + translated
    gone = {record.id: record.tags for record in Manifest(clean / "dropped")}
    places = {record.id: place for place, record in enumerate(records)}
    kept = np.array(
        [places[gone[r.id]["dropped_for"]] if r.id in gone else n for n, r in enumerate(records)]
    )
    pairs = alike(records)
    joined = kept[pairs[:, 0]] == kept[pairs[:, 1]]
    mine = (pairs >= len(originals)).any(axis=1)
    training = {row["dialogue"] for row in rows(root / "main" / "MTS-Dialog-TrainingSet.csv")}
    # Every row made one record, in order; else the counts below would be of other rows.
    copies = [row["dialogue"] in training for row in rows(root / "augmented_en_fr_en.csv")]
    equal = [record.id for record, copy in zip(translated, copies, strict=True) if copy]
    return {
        "dialogues": len(copies),
        "byte_equal": sum(copies),
        "byte_equal_found": sum(
            gone.get(name, {}).get("dropped_reason") == "same text" for name in equal
        ),
        "pairs": len(pairs),
        "pairs_found": int(joined.sum()),
        "pairs_of_back_translations": int(mine.sum()),
        "pairs_of_back_translations_found": int(joined[mine].sum()),
        "dropped": len(gone),
        "groups_as_all_pairs_say": same_groups(kept, pairs),
    }


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yields the rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def alike(records: list[RecordBase]) -> np.ndarray:
    """Compares all texts with all by their sets of runs of words, int64 (k, 2)."""
    numbers: dict[tuple[str, ...], int] = {}
    indices, ends = [], [0]
    for record in records:
        words = words_of("\n".join(record.texts()))
        runs = {tuple(words[n : n + RUN]) for n in range(max(len(words) - RUN + 1, 1))}
        indices += sorted(numbers.setdefault(run, len(numbers)) for run in runs)
        ends.append(len(indices))
    table = csr_matrix((np.ones(len(indices), np.int32), indices, ends))
    common = (table @ table.T).tocoo()
    sizes = np.diff(ends)
    found = common.data / (sizes[common.row] + sizes[common.col] - common.data) >= THRESHOLD
    mine = found & (common.row < common.col)
    return np.stack([common.row[mine], common.col[mine]], axis=1)


def same_groups(kept: np.ndarray, pairs: np.ndarray) -> bool:
    """Says whether what was kept for what makes the groups that the pairs make."""
    ones = np.ones(len(pairs), bool)
    graph = csr_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(kept), len(kept)))
    groups = connected_components(graph, directed=False)[1]
    return len(set(zip(kept, groups, strict=True))) == len(set(kept)) == len(set(groups))


if __name__ == "__main__":
    main()
