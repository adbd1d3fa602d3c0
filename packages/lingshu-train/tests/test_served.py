"""What a stage writes is loaded as it is by transformers and by vLLM, with both kinds of head."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_train.initial import init_checkpoint
from lingshu_train.runner import run_stage
from lingshu_train.settings import Shape, Stage
from lingshu_train.world import World

TOKENS = 12
HEADS = ("tied", "untied")


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    make_stage: Callable[..., Stage],
    mixture: Path,
    world: World,
) -> dict[str, Path]:
    """A stage's checkpoint for each kind of head; vLLM needs heads of 32, so it is the nano one."""
    shape = load_recipe(Shape, find_recipe("lingshu_train", "nano/model"))
    folder = tmp_path_factory.mktemp("served")
    for name in HEADS:
        language = shape.language.model_copy(update={"tied": name == "tied"})
        init_checkpoint(
            shape.model_copy(update={"language": language, "tokens": 700}),
            "t", mixture, folder / f"base-{name}",
        )  # fmt: skip
        stage = make_stage(parent=str(folder / f"base-{name}"), packing={"mode": "step"})
        run_stage(stage, "t", folder / name, world)
    return {name: folder / name for name in HEADS}


@pytest.fixture(scope="module")
def prompts(mixture: Path, trained: dict[str, Path]) -> list[dict[str, object]]:
    """A question with one picture, one with two, and one without."""
    processor = AutoProcessor.from_pretrained(trained["tied"])
    pictures = sorted(str(path) for path in mixture.rglob("*.png"))[:2]
    assert len(pictures) == 2 and len(list(Manifest(mixture))) == 40
    found = []
    for count in (1, 2, 0):
        content = [{"type": "image"}] * count + [{"type": "text", "text": "What is seen?"}]
        text = processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        found.append({"text": text, "pictures": pictures[:count]})
    return found


def with_transformers(folder: Path, prompts: list[dict[str, object]]) -> list[list[int]]:
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(folder)
    answers = []
    for prompt in prompts:
        shown = [Image.open(path) for path in prompt["pictures"]]
        inputs = processor(text=prompt["text"], images=shown or None, return_tensors="pt")
        out = model.generate(
            **inputs, min_new_tokens=TOKENS, max_new_tokens=TOKENS, do_sample=False,
            eos_token_id=None,
        )  # fmt: skip
        answers.append(out[0, inputs["input_ids"].shape[1] :].tolist())
    return answers


@pytest.mark.parametrize("name", HEADS)
def test_transformers_loads_it_whole(trained: dict[str, Path], name: str) -> None:
    model, report = AutoModelForImageTextToText.from_pretrained(
        trained[name], output_loading_info=True
    )
    assert not any(report[what] for what in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    head, words = model.lm_head.weight, model.model.language_model.embed_tokens.weight
    assert (head.data_ptr() == words.data_ptr()) == (name == "tied")


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_vllm_answers_as_transformers_does(
    trained: dict[str, Path],
    prompts: list[dict[str, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both load the same folder, in float32, and write the same words greedily."""
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    for name, value in {
        "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    work, answers = tmp_path / "work.json", tmp_path / "answers.json"
    checkpoints = {name: str(path) for name, path in trained.items()}
    work.write_text(json.dumps({"checkpoints": checkpoints, "prompts": prompts, "tokens": TOKENS}))
    command = [sys.executable, str(Path(__file__).with_name("served.py")), work, answers]
    result = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    found = json.loads(answers.read_text())
    for name, folder in trained.items():
        assert found[name] == with_transformers(folder, prompts)
    assert found["tied"] != found["untied"]
