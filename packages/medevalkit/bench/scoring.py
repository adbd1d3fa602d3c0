"""What scoring costs: seconds and memory for as many choices as the largest benchmark has.

    python packages/medevalkit/bench/scoring.py [--items 88996]

No two items share their options, and answers come in the ways in which models give them: a letter,
a sentence, the text of an option, thinking first, nothing. Figures are those of a process of its
own, its start included.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from overhead import STEM, spend

from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Option, Question, Source
from medevalkit.backend import Answer, Backend, Request, named
from medevalkit.run import run
from medevalkit.settings import RunSettings

RESULTS = Path(__file__).parent / "results" / "scoring.json"
ORGANS = ("liver", "left kidney", "right lung", "spleen", "heart", "pancreas", "colon", "bladder")
FOUND = ("mass", "cyst", "fracture", "effusion", "calcification", "stenosis", "oedema", "abscess")
WAYS = (
    "{letter}",
    "{letter}.",
    "({letter}) {text}",
    "The answer is **{letter}**.",
    "{text}",
    "<think>It looks like {other}, but the margin is smooth.</think>\n{letter}",
    "The picture shows the {text}, so I would choose {letter}.",
    "I cannot say.",
)


class Mixed:
    """Answers in all ways in turn."""

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields an answer for every request."""
        rng = random.Random(0)
        for number, request in enumerate(requests):
            options = request.record.options  # type: ignore[attr-defined]
            said, other = rng.sample(options, 2)
            way = WAYS[number % len(WAYS)]
            words = way.format(letter=said.letter, text=said.text, other=other.text)
            yield Answer(request, words, "stop")

    def close(self) -> None:
        """Has nothing to close."""


MIXED = Backend("answers in many ways", lambda name, settings: Mixed(), named)


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=88_996)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = measure(Path(place), given.items)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def measure(place: Path, items: int) -> dict[str, float | int]:
    """Returns seconds and MiB of `medevalkit score` under one profile and under two."""
    task = write(place / "task", items)
    words = [f"model={__file__}:MIXED:x", f'tasks=["manifest:{task}"]']
    run(load_recipe(RunSettings, None, words), place / "out")
    command = [sys.executable, "-m", "medevalkit", "score", str(place / "out")]
    found: dict[str, float | int] = {"items": items}
    for name, profiles in (("strict", ("strict",)), ("both", ("strict", "official"))):
        given = [word for profile in profiles for word in ("--profile", profile)]
        began = time.monotonic()
        cpu, memory = spend([*command, *given])
        found[f"{name}_s"] = round(time.monotonic() - began, 2)
        found[f"{name}_cpu_s"] = round(cpu, 2)
        found[f"{name}_rss_mb"] = round(memory, 1)
    return found


def write(out: Path, count: int) -> Path:
    """Writes a manifest of choices of about 300 characters, each with options of its own."""
    producer = Producer(package="bench", version="0", command="bench", settings="")
    source = Source(dataset="bench", licence="CC0-1.0")
    rng = random.Random(0)
    with ManifestWriter(out, producer=producer) as writer:
        for number in range(count):
            organs = rng.sample(ORGANS, 4)
            options = tuple(
                Option(letter=letter, text=f"{rng.choice(FOUND)} of the {organ}, {number} mm")
                for letter, organ in zip("ABCD", organs, strict=True)
            )
            writer.write(
                Question(
                    id=f"bench/{number:020x}",
                    source=source,
                    modality="text",
                    question=f"{number}: {STEM}",
                    options=options,
                    answer="ABCD"[number % 4],
                    answer_kind="choice",
                    tags={"topic": ORGANS[number % 5]},
                )
            )
    return out


if __name__ == "__main__":
    main()
