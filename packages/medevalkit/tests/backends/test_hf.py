import json

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.run import run
from medevalkit.settings import RunSettings

pytestmark = pytest.mark.slow


def settings(model, task, *more):
    fixed = ["sampling.max_new_tokens=6", "sampling.max_new_tokens_for.report=9"]
    return load_recipe(
        RunSettings, None, [f"model=hf:{model}", f'tasks=["manifest:{task}"]', *fixed, *more]
    )


def answers(out):
    return {said.item: said for said in Manifest(out / "predictions").of(Prediction)}


def test_answers_every_item_within_its_limit(tiny_model, toy, tmp_path):
    task = toy(16, pictures=5)
    run(settings(tiny_model, task), tmp_path / "out")
    found = answers(tmp_path / "out")
    assert len(found) == 16
    for record in Manifest(task):
        said = found[record.id]
        limit = 9 if record.type == "report" else 6
        assert said.finish_reason in {"stop", "length"}
        assert said.completion_tokens <= limit
        assert said.finish_reason == "stop" or said.completion_tokens == limit
        assert said.prompt_tokens > 20


def test_the_batch_does_not_change_the_answers(tiny_model, toy, tmp_path):
    task = toy(12, pictures=3)
    run(settings(tiny_model, task), tmp_path / "many")
    run(settings(tiny_model, task, "engine.batch_size=1"), tmp_path / "one")
    many, one = answers(tmp_path / "many"), answers(tmp_path / "one")
    assert {k: v.response for k, v in many.items()} == {k: v.response for k, v in one.items()}


def test_one_bad_item_fails_alone(tiny_model, toy, tmp_path, monkeypatch):
    from medevalkit.backends.hf import Transformers

    answer = Transformers._answer

    def fragile(self, batch):
        if any("in 5?" in request.record.question for request in batch):
            raise RuntimeError("does not fit")
        return answer(self, batch)

    monkeypatch.setattr(Transformers, "_answer", fragile)
    task = toy(7)
    # The fourth record is a report: it has no question.
    records = [r for r in Manifest(task) if r.type == "question"]
    lines = [record.model_dump_json() for record in records]
    plain = tmp_path / "plain.jsonl"
    plain.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(settings(tiny_model, plain), tmp_path / "out")
    failed = [said for said in answers(tmp_path / "out").values() if said.finish_reason == "error"]
    assert [said.error for said in failed] == ["RuntimeError: does not fit"]


def test_a_folder_without_a_model_is_named(toy, tmp_path):
    from lingshu_core.errors import DataError

    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=r"no config\.json"):
        run(settings(tmp_path / "nothing", toy(1)), tmp_path / "out")


def test_other_weights_are_another_model(tiny_model, toy, tmp_path):
    import shutil

    from medevalkit.weights import fingerprint

    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    assert fingerprint(str(copy)) == fingerprint(str(tiny_model))
    config = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps({**config, "top_p": 0.5}))
    assert fingerprint(str(copy)) != fingerprint(str(tiny_model))
