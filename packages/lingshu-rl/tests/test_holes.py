"""The seven holes of the stack, each by name; those of vLLM again in `test_engines.py`."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import rl_toy
import torch
from safetensors.torch import load_file, save_file

from lingshu_core.errors import DataError, LingshuError
from lingshu_core.selection import merge
from lingshu_rl import questions as questions_module
from lingshu_rl.engine import PromptMismatch, collapse, same_prompt
from lingshu_rl.logbook import Journal
from lingshu_rl.trainer import last_whole
from lingshu_rl.training import train

PICTURE = 7


def test_placeholders_expanded_twice():
    expanded = [1, 2, PICTURE, PICTURE, PICTURE, PICTURE, 3, PICTURE, PICTURE, 4]
    assert collapse(expanded, PICTURE) == [1, 2, PICTURE, 3, PICTURE, 4]
    assert collapse([PICTURE, PICTURE, 1], PICTURE) == [PICTURE, 1]
    same_prompt(expanded, list(expanded))
    with pytest.raises(
        PromptMismatch, match="10 tokens, the engine's 13; they differ first at token 6"
    ):
        same_prompt(expanded, [*expanded[:6], PICTURE, PICTURE, PICTURE, *expanded[6:]])


def test_sampled_picture_tokens(toys: Path, tmp_path: Path, recipe):
    """A model that wants nothing but picture tokens samples none, and training goes on."""
    parent = tmp_path / "parent"
    _copy(toys / "parent", parent)
    weights = load_file(parent / "model.safetensors")
    head = weights["lm_head.weight"]
    head[5] = head[:512].norm(dim=1).max() * 50 * torch.sign(head.mean(dim=0))
    head[6] = -head[5]
    save_file(weights, parent / "model.safetensors", metadata={"format": "pt"})
    train(recipe(f"parent={parent}", "batch.rollouts=1"), tmp_path / "out")
    assert (tmp_path / "out" / "lingshu.json").is_file()


def test_sampled_picture_token_of_a_careless_engine_is_an_error(trainer):
    careless = _Careless(sorted(trainer._banned)[0])
    trainer.setup = replace(trainer.setup, engine=careless)
    trainer._synced = 0
    trainer._asked = [trainer.setup.questions[0]] * 4
    trainer._opened = dict.fromkeys(trainer.setup.questions[0].pictures)
    with pytest.raises(LingshuError, match="picture token"):
        trainer._generate_single_turn([[1, 2]] * 4, None, {}, 4)


def test_resume_that_reloads_nothing(tmp_path: Path, recipe):
    """The weights after a resume are those of the checkpoint, every one of them."""
    out = tmp_path / "out"
    train(recipe("keep=9"), out)
    checkpoint = last_whole(out / "state")
    assert checkpoint is not None
    saved = load_file(checkpoint / "model.safetensors")
    assert any(name.startswith("visual.") for name in saved)
    trainer = _trainer(recipe(), tmp_path / "other")
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    trainer._load_from_checkpoint(str(checkpoint))
    after = trainer.model.state_dict()
    fresh = type(trainer.model).from_pretrained(checkpoint).state_dict()
    assert all(torch.equal(after[name], fresh[name]) for name in after)
    assert any(not torch.equal(after[name], before[name]) for name in after if "visual" in name)


def test_resume_with_a_tensor_missing_is_an_error(tmp_path: Path, recipe):
    out = tmp_path / "out"
    train(recipe("keep=9"), out)
    checkpoint = last_whole(out / "state")
    assert checkpoint is not None
    weights = load_file(checkpoint / "model.safetensors")
    del weights["model.layers.0.mlp.up_proj.weight"]
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    trainer = _trainer(recipe(), tmp_path / "other")
    with pytest.raises(LingshuError, match="up_proj"):
        trainer._load_from_checkpoint(str(checkpoint))


def test_resume_in_the_middle_of_a_rollout(tmp_path: Path, recipe):
    """With several updates to a rollout, checkpoints lie only where a rollout ends."""
    train(recipe("keep=9", "batch.rollouts=3"), tmp_path)
    steps = [
        int(path.name.rpartition("-")[2]) for path in (tmp_path / "state").glob("checkpoint-*")
    ]
    assert sorted(steps) == [2, 4, 6]


def test_text_only_rows_beside_picture_rows(toys: Path, tmp_path: Path, recipe):
    both = _both(toys, tmp_path)
    train(recipe(f"prompts={both}", "batch.rollouts=4"), tmp_path / "out")
    lines = Journal(tmp_path / "out" / "log" / "rollouts.jsonl").read()
    assert {tuple(line["by_modality"]) for line in lines} == {("other",), ("text",)}


def test_mixed_rollout_is_an_error(toys: Path, tmp_path: Path, recipe):
    trainer = _trainer(recipe(f"prompts={_both(toys, tmp_path)}"), tmp_path / "out")
    rows = {bool(item.pictures): row for row, item in enumerate(trainer.setup.questions)}
    with pytest.raises(DataError, match="mixes"):
        trainer._fill([{"row": rows[True]}, {"row": rows[False]}])


def test_pictures_decoded_once_a_rollout(tmp_path: Path, recipe, monkeypatch: pytest.MonkeyPatch):
    decoded: Counter[Path] = Counter()
    real = questions_module._decode

    def counted(path: Path, record: str):
        decoded[path] += 1
        return real(path, record)

    monkeypatch.setattr(questions_module, "_decode", counted)
    train(recipe("batch.rollouts=2"), tmp_path)
    # Two rollouts of four prompts: eight decodings for 32 answers and eight micro-batches.
    assert sum(decoded.values()) == 8


def _both(toys: Path, folder: Path) -> Path:
    from lingshu_core.manifest import Manifest

    text = rl_toy.questions(folder, 16, text_only=True)
    merge([Manifest(toys / "toy-32-0-0"), Manifest(text)], folder / "both")
    return folder / "both"


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def _trainer(recipe, out: Path):
    from lingshu_rl.training import make_trainer

    return make_trainer(recipe, out)


@pytest.fixture
def trainer(tmp_path: Path, recipe):
    return _trainer(recipe(), tmp_path / "out")


class _Careless:
    def __init__(self, token: int) -> None:
        self.token = token

    def generate(self, prompts, sampling):
        from lingshu_rl.engine import Sample

        return [[Sample([1, self.token], [0.0, 0.0])] * sampling.n for _ in prompts]
