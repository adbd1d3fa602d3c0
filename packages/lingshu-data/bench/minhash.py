"""Measures MinHash from text to signature beside datasketch's bulk, and compares their bits.

CPU seconds of one core, the least of several rounds that take turns. Then plants near duplicates
and counts what the shipped operator finds of them.

    python packages/lingshu-data/bench/minhash.py [--datatrove PYTHON]

PYTHON is that of an environment with `datatrove[processing]`, which is then measured as well.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasketch import MinHash

from lingshu_data.minhash import Signer, band_keys, bands_for, candidates, shingle_hash
from lingshu_data.operators.text_dedup import Settings
from lingshu_data.texts import jaccard, ngram_hashes, words_of

RESULTS = Path(__file__).parent / "results" / "minhash.json"
TEXTS, WORDS, RUN, ROUNDS, BAR = 2000, 238, 5, 5, 1.5
PEER_TEXTS, PEER_BAR = 200, 20
PLANTED = 10_000


def prose(seed: int, count: int) -> list[str]:
    """Returns words drawn as they are in texts: few of them often."""
    numbers = np.random.default_rng(seed).zipf(1.3, count) % 20_000
    return [f"{'abcdefghij'[n % 10] * (n % 7 + 1)}{n}" for n in numbers.tolist()]


def ours(texts: Sequence[str]) -> np.ndarray:
    """Signs texts with the package."""
    return Signer(128, RUN).sign(texts)


def bulk(texts: Sequence[str]) -> np.ndarray:
    """Signs texts with datasketch at its own best: runs joined, hashed by its default."""
    runs = []
    for text in texts:
        words = words_of(text)
        runs.append([" ".join(words[n : n + RUN]).encode() for n in range(len(words) - RUN + 1)])
    return np.stack([one.hashvalues for one in MinHash.bulk(runs, num_perm=128, scheme="affine32")])


def same_hash(text: str) -> np.ndarray:
    """Signs a text with datasketch and the package's hash of a run of words."""
    words = words_of(text)
    signer = MinHash(128, seed=1, hashfunc=shingle_hash, scheme="affine32")
    signer.update_batch([words[n : n + RUN] for n in range(len(words) - RUN + 1)])
    return np.asarray(signer.hashvalues)


class Datatrove:
    """A process that signs texts with datatrove when asked to."""

    def __init__(self, python: str, texts: list[str]) -> None:
        command = [python, str(Path(__file__).with_name("_datatrove.py"))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._texts = len(texts)
        self._send(json.dumps(texts))

    def seconds(self) -> float:
        """Returns the CPU seconds of one round, for a text."""
        self._send("")
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            sys.exit("datatrove has ended: see above what it says")
        return float(said) / self._texts

    def end(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


def measured(texts: list[str], peer: Datatrove | None) -> dict[str, float]:
    """Measures all ways in turns, in texts a CPU second."""
    rounds: dict[str, list[float]] = {"ours": [], "datasketch_bulk": [], "datatrove": []}
    for _ in range(ROUNDS):
        for name, work in {"ours": ours, "datasketch_bulk": bulk}.items():
            started = time.process_time()
            work(texts)
            rounds[name].append((time.process_time() - started) / len(texts))
        if peer is not None:
            rounds["datatrove"].append(peer.seconds())
    return {name: 1 / min(each) for name, each in rounds.items() if each}


def planted(likeness: float, place: int) -> tuple[list[str], list[str], float]:
    """Makes two texts of about such a Jaccard similarity and returns it exactly."""
    dice = random.Random(f"{likeness} {place}")
    one = prose(place * 11 + 7, 120)
    other = list(one)
    mine = np.unique(ngram_hashes(one, RUN))
    for cut in range(1, 60):
        # Words at the end are changed, so that one more costs about one run.
        other[-cut] = f"other{dice.random()}"
        found = jaccard(mine, np.unique(ngram_hashes(other, RUN)))
        if found <= likeness:
            break
    return one, other, found


def recall() -> dict[str, float | int]:
    """Plants pairs at known similarity among texts and counts which of them are found."""
    settings = Settings()
    bands, rows = bands_for(settings.permutations, settings.threshold, settings.recall)
    levels = (0.6, 0.7, 0.8, 0.9)
    texts, truth = [], []
    for place in range(PLANTED // 2):
        one, other, likeness = planted(levels[place % 4] + 0.005, place)
        texts += [one, other]
        truth.append(likeness)
    keys = band_keys(Signer().sign_words(texts), bands, rows)
    pairs = candidates(keys.T)
    sets = [np.unique(ngram_hashes(words, RUN)) for words in texts]
    real = {(a, b) for a, b in pairs.tolist() if jaccard(sets[a], sets[b]) >= settings.threshold}
    wanted = {(2 * n, 2 * n + 1) for n, j in enumerate(truth) if j >= settings.threshold}
    met = {tuple(pair) for pair in pairs.tolist()}
    result: dict[str, float | int] = {
        "texts": len(texts),
        "bands": bands,
        "rows": rows,
        "candidates": len(pairs),
        "wanted": len(wanted),
        "recall_at_threshold": round(len(wanted & real) / len(wanted), 5),
        "precision": round(len(wanted & real) / len(real), 5),
    }
    for number, level in enumerate(levels):
        mine = [(2 * n, 2 * n + 1) for n in range(number, len(truth), 4)]
        result[f"met at {level}"] = round(sum(pair in met for pair in mine) / len(mine), 4)
    return result


def main() -> None:
    """Writes the measurements, and exits with 1 where a bar is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--datatrove", default="", metavar="PYTHON")
    peer = options.parse_args().datatrove
    texts = [" ".join(prose(n, WORDS)) for n in range(TEXTS)]
    other = Datatrove(peer, texts[:PEER_TEXTS]) if peer else None
    rates = measured(texts, other)
    if other is not None:
        other.end()
    signed = ours(texts)
    unequal = sum(not np.array_equal(signed[n], same_hash(texts[n])) for n in range(0, TEXTS, 10))
    speed = {f"{name}_a_second": round(rate) for name, rate in rates.items()}
    speed["ratio"] = round(rates["ours"] / rates["datasketch_bulk"], 2)
    if "datatrove" in rates:
        speed["datatrove_ratio"] = round(rates["ours"] / rates["datatrove"], 1)
    found = {"speed": {**speed, "unequal": unequal}, "planted": recall()}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    missed = (
        found["speed"]["ratio"] < BAR
        or found["speed"].get("datatrove_ratio", PEER_BAR) < PEER_BAR
        or unequal
        or found["planted"]["recall_at_threshold"] < 0.99
        or found["planted"]["precision"] < 1
    )
    sys.exit("a bar is missed" if missed else 0)


if __name__ == "__main__":
    main()
