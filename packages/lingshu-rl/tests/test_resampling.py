from pathlib import Path

import torch

from lingshu_core.manifest import Manifest
from lingshu_core.records import Prediction
from lingshu_rl.logbook import Journal
from lingshu_rl.resampling import even_groups, replace_groups, spare_rows
from lingshu_rl.training import train

PAD = 9


def _batch(prompt: int, answer: int, mark: int, pictures: list[int]) -> dict:
    """Two groups of two; widths differ between batches, `mark` tells where a row comes from."""
    rows = 4
    patches = [[4 * (row + 1)] * count for row, count in enumerate(pictures)]
    grid = torch.tensor([[1, 2, n // 2] for row in patches for n in row])
    return {
        "prompt_ids": torch.full((rows, prompt), mark),
        "prompt_mask": torch.ones(rows, prompt, dtype=torch.long),
        "completion_ids": torch.full((rows, answer), mark),
        "completion_mask": torch.ones(rows, answer, dtype=torch.long),
        "old_per_token_logps": torch.full((rows, answer), -float(mark)),
        "importance_sampling_ratio": torch.full((rows, answer), float(mark)),
        "mm_token_type_ids": torch.cat(
            [torch.ones(rows, prompt), torch.zeros(rows, answer)], dim=1
        ),
        "advantages": torch.arange(rows) + 10.0 * mark,
        "num_items_in_batch": torch.tensor(rows * answer),
        "num_images": pictures,
        "image_grid_thw": grid,
        "pixel_values": torch.full((int(grid.prod(-1).sum()), 3), float(mark)),
    }


def test_replaced_groups_keep_their_own_tokens_and_pictures():
    base, other = _batch(3, 5, 1, [1, 1, 2, 2]), _batch(6, 2, 2, [3, 3, 1, 1])
    merged = replace_groups(base, other, [(1, 0)], size=2, padding=PAD)
    assert merged["prompt_ids"].tolist()[0] == [PAD, PAD, PAD, 1, 1, 1]
    assert merged["prompt_ids"].tolist()[2] == [2] * 6
    assert merged["prompt_mask"].sum(1).tolist() == [3, 3, 6, 6]
    assert merged["completion_ids"].tolist()[2] == [2, 2, PAD, PAD, PAD]
    assert merged["completion_mask"].sum(1).tolist() == [5, 5, 2, 2]
    assert merged["old_per_token_logps"].tolist()[3] == [-2, -2, 0, 0, 0]
    assert merged["mm_token_type_ids"].tolist()[0] == [0] * 3 + [1] * 3 + [0] * 5
    assert merged["mm_token_type_ids"].tolist()[2] == [1] * 6 + [0] * 5
    assert merged["advantages"].tolist() == [10.0, 11.0, 20.0, 21.0]
    assert merged["num_images"] == [1, 1, 3, 3]
    assert len(merged["image_grid_thw"]) == 8
    sizes = merged["image_grid_thw"].prod(-1)
    marks = torch.repeat_interleave(torch.tensor([1, 1, 2, 2, 2, 2, 2, 2]), sizes)
    assert torch.equal(merged["pixel_values"][:, 0], marks.float())


def test_ratios_of_sequences_have_one_column():
    base, other = _batch(3, 5, 1, [1] * 4), _batch(3, 2, 2, [1] * 4)
    for batch in (base, other):
        batch["importance_sampling_ratio"] = batch["importance_sampling_ratio"][:, :1]
    merged = replace_groups(base, other, [(0, 1)], size=2, padding=PAD)
    assert merged["importance_sampling_ratio"].tolist() == [[2], [2], [1], [1]]


def test_even_groups():
    assert even_groups([1, 1, 0, 1, None, None, None, 1.5, 0.5, 0.5], 2) == [0, 2, 3, 4]


def test_spare_rows_follow_from_the_seed():
    assert spare_rows(range(20), {0, 1, 2}, 5, "a") == spare_rows(range(20), {0, 1, 2}, 5, "a")
    assert not set(spare_rows(range(20), {0, 1, 2}, 17, "a")) & {0, 1, 2}
    assert len(spare_rows(range(4), {0, 1, 2}, 9, "a")) == 9


def test_dynamic_sampling_fills_up_with_groups_that_teach(tmp_path: Path, recipe):
    more = ("objective.loss=dapo", "batch.responses=2", "batch.rollouts=3")
    train(recipe(*more), tmp_path / "plain")
    train(recipe(*more, "objective.resampling=6"), tmp_path / "filled")
    first = Journal(tmp_path / "filled" / "log" / "rollouts.jsonl").read()
    assert first[0]["even"] > 0 and first[0]["resampled"] > 0
    plain = Journal(tmp_path / "plain" / "log" / "rollouts.jsonl").read()
    assert plain[0] == {key: value for key, value in first[0].items() if key != "resampled"}
    norms = [
        Journal(tmp_path / name / "log" / "steps.jsonl").read()[0]["grad_norm"]
        for name in ("plain", "filled")
    ]
    assert norms[0] != norms[1]
    answers = list(Manifest(tmp_path / "filled" / "rollouts").of(Prediction))
    assert len(answers) == 3 * 8 + sum(line.get("resampled", 0) for line in first)
    assert {answer.tags.get("attempt") for answer in answers} >= {None, "1"}
