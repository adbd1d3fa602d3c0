"""vLLM for real, in this process and as a server: the same prompts, the trainer's probabilities."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import rl_toy
import torch
from rl_endpoint import serving
from rl_server import VllmServer

from lingshu_core.errors import Stopped
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_rl.engine import (
    ENGINES,
    Engine,
    Prompt,
    PromptMismatch,
    Sampling,
    Start,
    banned,
    seed_of,
)
from lingshu_rl.loading import load_model, load_processor
from lingshu_rl.logbook import Journal
from lingshu_rl.questions import Asked, open_pictures, read_questions
from lingshu_rl.settings import EngineSettings, TrainingRecipe

pytestmark = pytest.mark.timeout(900)
vllm = pytest.mark.engine
TOLERANCE = 1e-5
FEW = Sampling(n=2, max_tokens=12, temperature=1.0)


@pytest.mark.parametrize("name", ENGINES.names())
def test_contract(name: str):
    kind = ENGINES.get(name)
    assert kind.name == name.replace("-", "_") and kind.summary


def test_seeds_follow_from_their_parts():
    assert seed_of(0, 1, "a") == seed_of(0, 1, "a") != seed_of(0, 1, "b")
    assert 0 <= seed_of("x") < 2**31


def _asked(replies: list[int | str]) -> str:
    """What a server says at last that gives these replies one by one, the last for ever."""
    from lingshu_rl.engines.vllm_server import Server

    def reply(_: str) -> int | str:
        return replies.pop(0) if len(replies) > 1 else replies[0]

    with serving(reply) as endpoint:
        server = Server(endpoint.url.removesuffix("/v1"), patience=0.5)
        answer = server.chat(messages=[{"role": "user", "content": "?"}])
    return answer.choices[0].message.content


def test_a_server_that_fails_once_is_asked_again():
    assert _asked([500, "yes"]) == "yes"


def test_a_server_that_goes_on_failing_stops_the_run():
    with pytest.raises(Stopped, match=r"goes on failing .* give the same command"):
        _asked([500])


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Prompts with pictures and without, and a checkpoint with and without a tied head."""
    folder = tmp_path_factory.mktemp("engines")
    pictures = rl_toy.questions(folder, 16)
    return {
        "pictures": pictures,
        "text": rl_toy.questions(folder, 16, text_only=True),
        "untied": rl_toy.checkpoint(folder / "untied", pictures, steps=20),
        "tied": rl_toy.checkpoint(folder / "tied", pictures, steps=20, tied=True),
        "learner": rl_toy.checkpoint(folder / "learner", pictures, steps=90),
        "greedy-for-pictures": _wants_pictures(folder, pictures),
    }


def _wants_pictures(folder: Path, manifest: Path) -> Path:
    """A checkpoint whose likeliest token is always the placeholder of a picture."""
    from safetensors.torch import load_file, save_file

    path = rl_toy.checkpoint(folder / "greedy", manifest, steps=20)
    weights = load_file(path / "model.safetensors")
    model = load_model(path, "float32")
    processor = load_processor(path)
    [asked] = read_questions_of(manifest)[:1]
    direction = _last_hidden(model, processor, asked)
    weights["lm_head.weight"][model.config.image_token_id] = 100 * direction / direction.norm() ** 2
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    return path


def _last_hidden(model, processor, asked: Asked) -> torch.Tensor:
    inputs = _inputs(processor, asked)
    with torch.no_grad():
        return model.model(**inputs).last_hidden_state[0, -1]


def read_questions_of(manifest: Path) -> list[Asked]:
    from lingshu_core.manifest import Manifest

    return read_questions(Manifest(manifest))


def _inputs(processor, asked: Asked):
    images = _images(asked)
    text = processor.apply_chat_template(
        asked.chat(images), add_generation_prompt=True, tokenize=False
    )
    return processor(text=[text], images=images or None, return_tensors="pt")


def _images(asked: Asked) -> list:
    opened = open_pictures([asked])
    return [opened[path] for path in asked.pictures]


def _prompt(processor, asked: Asked) -> Prompt:
    ids = tuple(_inputs(processor, asked)["input_ids"][0].tolist())
    images = _images(asked)
    return Prompt(ids, asked.chat(images), tuple(images), seed_of(asked.question.id))


def _start(checkpoint: Path, scratch: Path, **settings: object) -> Start:
    return Start(
        checkpoint=checkpoint,
        processor=load_processor(checkpoint),
        settings=EngineSettings(memory=0.1, **settings),
        max_length=512,
        precision="float32",
        scratch=scratch,
    )


def _changed(checkpoint: Path):
    """A model some steps on, in every part of it."""
    model = load_model(checkpoint, "float32").eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(noise * 0.05 * parameter.std().nan_to_num(0.0))
    return model


def _gap(model, processor, engine: Engine, asked: Asked) -> float:
    """Greatest difference of a log-probability between the engine and a model."""
    prompt = _prompt(processor, asked)
    [samples] = engine.generate([prompt], FEW)
    worst = 0.0
    for sample in samples:
        assert not set(sample.ids) & set(banned(processor))
        assert len(sample.ids) == len(sample.logprobs) > 0
        inputs = _inputs(processor, asked)
        answer = torch.tensor([sample.ids])
        inputs["input_ids"] = torch.cat([inputs["input_ids"], answer], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        kinds = inputs["mm_token_type_ids"]
        inputs["mm_token_type_ids"] = torch.cat([kinds, torch.zeros_like(answer)], dim=1)
        with torch.no_grad():
            logits = model(**inputs).logits[0, len(prompt.ids) - 1 : -1]
        logits[:, list(banned(processor))] -= 100
        ours = torch.log_softmax(logits, -1).gather(1, answer[0][:, None])[:, 0]
        worst = max(worst, (ours - torch.tensor(sample.logprobs)).abs().max().item())
    return worst


def _weights(model):
    return lambda: iter(list(model.named_parameters(remove_duplicate=False)))


def _compare(engine: Engine, checkpoint: Path, worlds: dict[str, Path]) -> dict[str, list[float]]:
    """Returns the gaps before a transfer, when the engine is stale, and after it.

    The prompts are the same each time, so that every cache could give back what is old.
    """
    processor = load_processor(checkpoint)
    asked = [one for kind in ("pictures", "text") for one in read_questions_of(worlds[kind])[:3]]
    first, later = load_model(checkpoint, "float32").eval(), _changed(checkpoint)
    engine.sync(_weights(first))
    fresh = [_gap(first, processor, engine, one) for one in asked]
    stale = [_gap(later, processor, engine, one) for one in asked]
    engine.sync(_weights(later))
    fresh += [_gap(later, processor, engine, one) for one in asked]
    return {"fresh": fresh, "stale": stale}


@pytest.fixture(scope="module")
def server(
    worlds: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    pytest.importorskip("vllm")
    server = VllmServer(worlds["untied"], tmp_path_factory.mktemp("server") / "log.txt")
    try:
        server.start()
        yield server
    finally:
        server.kill()


# One process can hold one vLLM engine, and keeps it: this file, run as a program, tries each head.
@pytest.fixture(scope="module")
def in_process(worlds, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    pytest.importorskip("vllm")
    names = json.dumps({name: str(path) for name, path in worlds.items()})
    found = {}
    for head in ("untied", "tied"):
        run = subprocess.run(
            [sys.executable, __file__, names, str(tmp_path_factory.mktemp(head)), head],
            capture_output=True,
            text=True,
            timeout=900,
            env=os.environ
            | {"PYTHONPATH": str(Path(__file__).parent), "VLLM_CPU_KVCACHE_SPACE": "1"},
        )
        assert run.returncode == 0, run.stderr[-4000:]
        found[head] = json.loads(run.stdout.splitlines()[-1])
    return found


@vllm
@pytest.mark.parametrize("head", ["untied", "tied"])
def test_probabilities_after_a_transfer_in_process(head: str, in_process):
    assert min(in_process[head]["stale"]) > 100 * TOLERANCE
    assert max(in_process[head]["fresh"]) < TOLERANCE


@vllm
def test_sampled_picture_tokens_in_process(in_process):
    assert in_process["untied"]["wanted_a_picture_token"]
    assert not in_process["untied"]["sampled_a_picture_token"]


@vllm
def test_placeholders_expanded_twice_in_process(in_process):
    assert in_process["untied"]["good_prompt_was_read"]
    assert "tokens, the engine's" in in_process["untied"]["bad_prompt"]


@vllm
def test_probabilities_after_a_transfer_to_a_server(server: VllmServer, worlds, tmp_path: Path):
    kind = ENGINES.get("vllm_server")
    engine = kind.start(_start(worlds["untied"], tmp_path, servers=(server.url,)))
    found = _compare(engine, worlds["untied"], worlds)
    engine.close()
    assert min(found["stale"]) > 100 * TOLERANCE
    assert max(found["fresh"]) < TOLERANCE
    assert not (tmp_path / "weights").exists()


@vllm
def test_placeholders_expanded_twice_by_a_server(server: VllmServer, worlds, tmp_path: Path):
    engine = ENGINES.get("vllm_server").start(
        _start(worlds["untied"], tmp_path, servers=(server.url,))
    )
    found = _placeholders(engine, worlds["untied"], worlds)
    assert found["good_prompt_was_read"] and "tokens, the engine's" in found["bad_prompt"]


@vllm
@pytest.mark.slow
def test_server_killed_in_the_middle(server: VllmServer, worlds, tmp_path: Path):
    """A run whose server dies and comes back ends with the very weights of one undisturbed."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    # So many that the run is still at it when the server dies.
    many = "batch.rollouts=32"
    _train(worlds, whole, server, many)
    again = threading.Event()

    def kill_and_start() -> None:
        log = cut / "log" / "rollouts.jsonl"
        while not log.is_file() or len(log.read_text().splitlines()) < 2:
            again.wait(0.05)
        server.kill()
        server.start()

    killer = threading.Thread(target=kill_and_start)
    killer.start()
    said = _train(worlds, cut, server, many)
    killer.join()
    assert "waiting for it" in said or "was started anew" in said
    assert (whole / "model.safetensors").read_bytes() == (cut / "model.safetensors").read_bytes()


@vllm
def test_server_that_stays_away_stops_the_run(worlds, tmp_path: Path):
    gone = VllmServer(worlds["untied"], tmp_path / "log.txt")
    run = _train_process(worlds, tmp_path / "out", gone, "engine.patience=1")
    assert run.returncode == 4
    assert "does not answer: start the server, then give the same command" in run.stderr


@vllm
@pytest.mark.slow
def test_every_engine_learns_the_toy(worlds, tmp_path: Path):
    """From a checkpoint that has the form and guesses the letter."""
    for engine in ("hf", "vllm"):
        out = tmp_path / engine
        run = _run(
            worlds,
            out,
            f"engine.name={engine}",
            f"parent={worlds['learner']}",
            "batch.rollouts=60",
            "optimizer.learning_rate=1e-3",
            "objective.kl=0.001",
        )
        assert run.returncode == 0, run.stderr
        rewards = [line["reward"] for line in Journal(out / "log" / "rollouts.jsonl").read()]
        assert sum(rewards[-15:]) / 15 > sum(rewards[:15]) / 15 + 0.2


def _train(worlds: dict[str, Path], out: Path, server: VllmServer, *more: str) -> str:
    run = _train_process(worlds, out, server, *more)
    assert run.returncode == 0, run.stderr
    return run.stderr


def _train_process(worlds: dict[str, Path], out: Path, server: VllmServer, *more: str):
    return _run(worlds, out, "engine.name=vllm_server", f'engine.servers=["{server.url}"]', *more)


def _run(worlds: dict[str, Path], out: Path, *more: str):
    settings = (
        f"prompts={worlds['pictures']}",
        f"parent={worlds['untied']}",
        "batch.rollout=4",
        "batch.update=4",
        "batch.micro=32",
        "batch.rollouts=8",
        "batch.epochs=20",
        "lengths.response=20",
        *more,
    )
    command = [sys.executable, "-m", "lingshu_rl", "run", "nano", "--out", str(out)]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def _picture_tokens(engine: Engine, worlds: dict[str, Path]) -> dict[str, object]:
    checkpoint = worlds["greedy-for-pictures"]
    processor = load_processor(checkpoint)
    model = load_model(checkpoint, "float32").eval()
    asked = read_questions_of(worlds["pictures"])[0]
    with torch.no_grad():
        wanted = model(**_inputs(processor, asked)).logits[0, -1].argmax().item()
    engine.sync(_weights(model))
    samples = engine.generate([_prompt(processor, asked)], Sampling(n=8, max_tokens=12))[0]
    sampled = {token for sample in samples for token in sample.ids}
    return {
        "wanted_a_picture_token": wanted in banned(processor),
        "sampled_a_picture_token": bool(sampled & set(banned(processor))),
    }


def _placeholders(engine: Engine, checkpoint: Path, worlds: dict[str, Path]) -> dict[str, object]:
    """A trainer that shrinks pictures otherwise than the engine has to be noticed at once."""
    processor = load_processor(checkpoint)
    good = _prompt(processor, read_questions_of(worlds["pictures"])[0])
    read = good.ids.count(processor.image_token_id) > 1 and bool(engine.generate([good], FEW))
    fewer = list(good.ids)
    fewer.remove(processor.image_token_id)
    try:
        engine.generate([Prompt(tuple(fewer), good.chat, good.images, 0)], FEW)
    except PromptMismatch as error:
        return {"good_prompt_was_read": read, "bad_prompt": str(error)}
    return {"good_prompt_was_read": read, "bad_prompt": ""}


def _program(names: str, scratch: str, head: str) -> None:
    worlds = {name: Path(path) for name, path in json.loads(names).items()}
    engine = ENGINES.get("vllm").start(_start(worlds[head], Path(scratch)))
    found: dict[str, object] = dict(_compare(engine, worlds[head], worlds))
    if head == "untied":
        found |= _placeholders(engine, worlds[head], worlds)
        found |= _picture_tokens(engine, worlds)
    engine.close()
    print(json.dumps(found))


def test_hf_engine_samples_what_it_is_asked(toys: Path, tmp_path: Path):
    engine = ENGINES.get("hf").start(_start(toys / "parent", tmp_path))
    processor = load_processor(toys / "parent")
    prompts = [_prompt(processor, asked) for asked in read_questions_of(toys / "toy-32-0-0")[:3]]
    found = engine.generate(prompts, FEW)
    assert [len(group) for group in found] == [2, 2, 2]
    assert engine.generate(prompts, FEW) == found
    greedy = engine.generate(prompts, Sampling(n=1, max_tokens=12, temperature=0))
    assert greedy == engine.generate(prompts, Sampling(n=1, max_tokens=12, temperature=0))
    ends = processor.tokenizer.eos_token_id
    assert all(ends not in sample.ids[:-1] for group in found for sample in group)


def test_recipe_names_an_engine_that_is_not_there():
    recipe = load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"), ["engine.name=vlm"])
    from lingshu_core.errors import SettingsError

    with pytest.raises(SettingsError, match="did you mean 'vllm'"):
        ENGINES.get(recipe.engine.name)


if __name__ == "__main__":
    _program(*sys.argv[1:])
