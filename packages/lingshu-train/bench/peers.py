"""Tokens a CPU second on short questions on pictures, beside other trainers, in one run.

Bar (issue 7, section 5): with step packing at least 1.4 times the best of the others unpacked.
96 JPEG pictures of 224 px, decoded in the loop, a question and a short answer each, two epochs,
eight samples a step; the same small model of Qwen2.5-VL's kind in float32, all parts trained, one
thread; the same words for everybody, and no system message. The contenders take turns, each in a
process of its own; the best of the turns counts. The products of matrices are the same for all:
the larger the model, the smaller the difference.
What stands on another version of transformers runs in an environment of its own:

    python packages/lingshu-train/bench/peers.py --llama-factory PYTHON --ms-swift PYTHON
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _gpu_work import SMALL, _picture, random_words

from lingshu_core.digest import record_id
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.messages import to_messages
from lingshu_core.modality import Modality
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_core.records import Question, Source
from lingshu_train.initial import init_checkpoint
from lingshu_train.settings import Shape

RESULTS = Path(__file__).parent / "results" / "peers.json"
RUNNER = Path(__file__).with_name("_peer_run.py")
SAMPLES, SIDE, BAR = 96, 224, 1.4
UNPACKED = ("hugging-face", "trl", "llama-factory", "ms-swift")
PACKED = ("llama-factory-packed", "ms-swift-packed")
OURS = ("ours-step", "ours-none", "ours-full")


def prepare(folder: Path) -> None:
    """Writes the samples as everybody reads them, and the model."""
    producer = Producer(package="bench", version="0", command="peers", settings="0" * 64)
    plain = []
    with ManifestWriter(folder / "mixture", producer=producer) as writer:
        for number in range(SAMPLES):
            rng = np.random.default_rng(number)
            image = _picture(writer, rng, SIDE)
            question, answer = random_words(rng, 14), random_words(rng, 3)
            record = Question(
                id=record_id("bench", str(number)),
                source=Source(dataset="bench", licence="CC0-1.0"),
                modality=Modality.XRAY,
                images=(image,),
                question=question,
                answer=answer,
                answer_kind="open",
            )
            writer.write(record)
            asked, said = to_messages(record)
            path = str(folder / "mixture" / image.path)
            plain.append({"question": asked.text, "answer": said.text, "picture": path})
    (folder / "samples.json").write_text(json.dumps(plain), encoding="utf-8")
    init_checkpoint(shape(), "bench", folder / "mixture", folder / "base")


def shape() -> Shape:
    """Returns a model of 0.6 million parameters: the size of the probe that the bar comes from."""
    nano = load_recipe(Shape, find_recipe("lingshu_train", SMALL.shape))
    vision = nano.vision.model_copy(update={
        "depth": 2, "hidden": 64, "intermediate": 128, "full_attention": (1,),
    })  # fmt: skip
    language = nano.language.model_copy(update={"layers": 2})
    return nano.model_copy(update={
        "vision": vision, "language": language, "min_pixels": 3136, "max_pixels": SIDE * SIDE,
        "tokens": 900,
    })  # fmt: skip


def turn(name: str, folder: Path, python: str, seconds: float) -> dict[str, Any]:
    """Runs a contender once; what keeps it from running is its result."""
    environment = {**os.environ, "USE_MODELSCOPE_HUB": "0", "DISABLE_VERSION_CHECK": "1"}
    command = [python, str(RUNNER), name, str(folder)]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {seconds:.0f} s"}
    for line in done.stdout.splitlines():
        if "FIGURES " in line:
            found: dict[str, Any] = json.loads(line[line.index("FIGURES ") + 8 :])
            return {**found, "tokens_per_cpu_s": round(found["tokens"] / found["cpu_s"])}
    lines = [line for line in done.stderr.splitlines() if "Error" in line] or ["said nothing"]
    return {"failed": lines[-1].strip()[:300], "log": done.stderr[-1500:]}


def best(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the fastest turn, with the rates of all."""
    done = [entry for entry in turns if "failed" not in entry]
    if not done:
        return {"failed": turns[-1]["failed"]}
    rates = [entry["tokens_per_cpu_s"] for entry in done]
    return {**max(done, key=lambda entry: entry["tokens_per_cpu_s"]), "turns": rates}


def main() -> int:
    """Prints the figures, writes them, and says whether the bar is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llama-factory", help="the Python that has it")
    parser.add_argument("--ms-swift", help="the Python that has it")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=240, help="a turn, at most")
    parser.add_argument("--only", nargs="*", default=[*OURS, *UNPACKED, *PACKED])
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder)
        for number in range(given.turns):
            for name in given.only:
                python = sys.executable
                if name.startswith(("llama", "ms")):
                    python = given.llama_factory if name.startswith("llama") else given.ms_swift
                if not python or any("failed" in entry for entry in found.get(name, [])):
                    continue
                entry = turn(name, folder, python, given.seconds)
                print(number + 1, name, json.dumps(entry), flush=True)
                found.setdefault(name, []).append(entry)
    result: dict[str, Any] = {name: best(turns) for name, turns in found.items()}
    rates = {name: entry.get("tokens_per_cpu_s", 0) for name, entry in result.items()}
    fastest = max((rates.get(name, 0), name) for name in UNPACKED)
    if fastest[0] and "ours-step" in rates:
        result["best_unpacked_peer"] = fastest[1]
        result["ratio"] = round(rates["ours-step"] / fastest[0], 2)
        result["met"] = result["ratio"] >= BAR
    print(json.dumps(result, indent=2))
    if given.only == [*OURS, *UNPACKED, *PACKED]:
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if result.get("met") else 1


if __name__ == "__main__":
    sys.exit(main())
