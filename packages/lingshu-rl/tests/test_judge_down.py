"""The judge goes away while a model is trained: training waits, stops, and goes on."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
import rl_toy
from rl_command import command, environment, finish
from rl_endpoint import serving

from lingshu_core.checkpoint import is_checkpoint
from lingshu_core.golds import PhraseGold
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Question

# None of them is a letter, so of the answers that the toy gives the rules know nothing.
WORDS = {"A": "murky twilight", "B": "radiant daylight"}


def phrases(toys: Path, out: Path) -> Path:
    """Writes the toy questions with phrases as golds, which a letter neither is nor is not."""
    source = Manifest(toys / "toy-32-0-0")
    with ManifestWriter(out, producer=rl_toy.PRODUCER) as writer:
        for question in source.of(Question):
            word = WORDS[question.answer]
            files = [writer.add_file(source.file(one), suffix=".png") for one in question.images]
            images = tuple(
                image.model_copy(update={"path": file.path})
                for image, file in zip(question.images, files, strict=True)
            )
            writer.write(question.model_copy(update={
                "answer": word, "answer_kind": "open", "options": (), "images": images,
                "gold": PhraseGold(accepted=(word,)),
            }))  # fmt: skip
    return out


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_training_stops_without_its_judge_and_goes_on_with_it(toys: Path, tmp_path: Path):
    prompts = phrases(toys, tmp_path / "prompts")

    def words(out: Path, url: str) -> list[str]:
        judge = (f"judge.base_url={url}", "judge.model=m", "judge.patience=1")
        return command(out, prompts, toys / "parent", "batch.rollouts=6", *judge)

    def verdict(prompt: str) -> str:
        return "RIGHT" if len(prompt) % 2 else "WRONG"

    with serving(verdict) as endpoint:
        finish(words(tmp_path / "whole", endpoint.url))
        enough = len(endpoint.prompts) // 2
    assert enough > 1

    def until_enough(prompt: str) -> str | int:
        return verdict(prompt) if len(endpoint.prompts) <= enough else 503

    cut = tmp_path / "cut"
    with serving(until_enough) as endpoint:
        stopped = subprocess.run(
            words(cut, endpoint.url), capture_output=True, text=True, env=environment(), timeout=600
        )
        assert stopped.returncode == 4, stopped.stderr[-4000:]
        assert "does not answer" in stopped.stderr and "Traceback" not in stopped.stderr
        assert not is_checkpoint(cut)
        answered = endpoint.prompts[:enough]
        endpoint.prompts, endpoint.reply = [], verdict
        finish(words(cut, endpoint.url))
        assert not Counter(answered) & Counter(endpoint.prompts), "a verdict was paid for twice"
    for name in ("model.safetensors", "log/steps.jsonl", "log/rollouts.jsonl"):
        assert (tmp_path / "whole" / name).read_bytes() == (cut / name).read_bytes(), name
