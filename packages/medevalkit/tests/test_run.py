import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings

BACKEND = '''
import os, time
from medevalkit.backend import Answer, Backend, named

class Counting:
    """Notes every request in a file, and takes its time."""

    def answers(self, requests):
        for request in requests:
            time.sleep(float(os.environ.get("SLOW", "0")))
            with open(os.environ["ASKED"], "a") as file:
                file.write(request.key.hex() + "\\n")
            yield Answer(request, "yes", "stop", latency=0.01)

    def close(self):
        pass

COUNTING = Backend("counts", lambda name, settings: Counting(), named, pictures="encoded")
'''


def settings(task, *more, model="constant:yes"):
    return load_recipe(RunSettings, None, [f"model={model}", f'tasks=["manifest:{task}"]', *more])


def predictions(out):
    return list(Manifest(out / "predictions").of(Prediction))


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """Returns the name of a backend that notes what it is asked, and a reader of its notes."""
    (tmp_path / "counting.py").write_text(BACKEND, encoding="utf-8")
    asked = tmp_path / "asked.txt"
    asked.touch()
    monkeypatch.setenv("ASKED", str(asked))
    return f"{tmp_path}/counting.py:COUNTING:x", lambda: asked.read_text().split()


def test_every_item_has_one_answer_in_the_order_of_the_task(toy, tmp_path):
    task = toy(40, pictures=7)
    assert run(settings(task), tmp_path / "out")
    found = predictions(tmp_path / "out")
    assert [said.item for said in found] == [record.id for record in Manifest(task)]
    assert {said.response for said in found} == {"yes"}
    assert {said.task for said in found} == {"toy"}


def test_the_same_command_does_nothing(toy, tmp_path, counting):
    model, asked = counting
    task = toy(10, reports=False)
    assert run(settings(task, model=model), tmp_path / "out")
    before = (tmp_path / "out" / "journal.jsonl").read_bytes()
    assert not run(settings(task, model=model), tmp_path / "out")
    assert (tmp_path / "out" / "journal.jsonl").read_bytes() == before
    assert len(asked()) == 10


def test_a_larger_limit_asks_only_what_is_new(toy, tmp_path, counting):
    model, asked = counting
    task = toy(20, reports=False)
    run(settings(task, "limit=8", model=model), tmp_path / "out")
    assert len(asked()) == 8
    run(settings(task, model=model), tmp_path / "out")
    assert len(asked()) == 20
    assert len(predictions(tmp_path / "out")) == 20


@pytest.mark.parametrize(
    "change",
    ["protocol=think", "system='Be brief.'", "sampling.max_new_tokens=5", "sampling.seed=1"],
)
def test_changed_asking_never_takes_old_answers(toy, tmp_path, counting, change):
    model, asked = counting
    task = toy(8, reports=False)
    run(settings(task, model=model), tmp_path / "out")
    run(settings(task, change, model=model), tmp_path / "out")
    assert len(asked()) == 16 == len(set(asked()))
    assert len(predictions(tmp_path / "out")) == 8


def test_what_decides_no_answer_may_change(toy, tmp_path, counting):
    model, asked = counting
    task = toy(8, reports=False)
    run(settings(task, model=model), tmp_path / "out")
    run(settings(task, "pictures.workers=1", "endpoint.retries=1", model=model), tmp_path / "out")
    assert len(asked()) == 8


def test_items_that_are_put_alike_share_an_answer(toy, tmp_path, counting):
    model, asked = counting
    task = toy(8, reports=False)
    twins = tmp_path / "twins.jsonl"
    lines = [record.model_dump_json() for record in Manifest(task)]
    again = [line.replace('"id":"toy/', '"id":"again/') for line in lines]
    twins.write_text("\n".join(lines + again) + "\n", encoding="utf-8")
    run(settings(twins, model=model), tmp_path / "out")
    assert len(asked()) == 8
    assert len(predictions(tmp_path / "out")) == 16


def test_another_model_needs_another_folder(toy, tmp_path):
    task = toy(2)
    run(settings(task), tmp_path / "out")
    with pytest.raises(SettingsError, match="answers of constant:yes"):
        run(settings(task, model="constant:no"), tmp_path / "out")


def test_broken_pictures_fail_their_items_alone(toy, tmp_path, counting):
    model, asked = counting
    task = toy(12, pictures=4, reports=False)
    shown = sorted({record.images[0].path for record in Manifest(task)})
    whole = [(task / path).read_bytes() for path in shown[:2]]
    os.truncate(task / shown[0], 40)
    (task / shown[1]).unlink()
    run(settings(task, "endpoint.error_budget=1", model=model), tmp_path / "out")
    found = predictions(tmp_path / "out")
    failed = [said for said in found if said.finish_reason == "error"]
    assert len(found) == 12 and len(failed) == 6 and len(asked()) == 6
    assert {said.error.split(": ")[-1].split(" ")[0] for said in failed} == {"was", "there"}
    table = score(tmp_path / "out").rows[0]
    assert table.n == 12 and table.unanswered == 0.5
    # Put right, they are asked; what was answered is not.
    for path, data in zip(shown, whole, strict=False):
        (task / path).write_bytes(data)
    assert run(settings(task, "endpoint.error_budget=1", model=model), tmp_path / "out")
    assert len(set(asked())) == len(asked()) == 12
    assert score(tmp_path / "out").rows[0].unanswered == 0
    assert not run(settings(task, "endpoint.error_budget=1", model=model), tmp_path / "out")


def test_two_processes_do_not_share_a_folder(toy, tmp_path):
    from medevalkit.folder import locked

    with (
        locked(tmp_path / "out"),
        pytest.raises(SettingsError, match="another process is working"),
    ):
        run(settings(toy(2)), tmp_path / "out")


def test_a_shard_beyond_the_last_is_refused(toy):
    with pytest.raises(SettingsError, match="0 <= i < n"):
        settings(toy(2), "shard=[2,2]")


def test_replicas_without_a_temperature_are_refused(toy):
    with pytest.raises(SettingsError, match="asks the same thing again"):
        settings(toy(2), "replicas=4")


def test_replicas_are_asked_apart(toy, tmp_path, counting):
    model, asked = counting
    more = ["replicas=3", "sampling.temperature=0.7"]
    run(settings(toy(4, reports=False), *more, model=model), tmp_path / "out")
    assert len(set(asked())) == 12
    assert [said.replica for said in predictions(tmp_path / "out")] == [0, 1, 2] * 4


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_without_asking_twice(toy, tmp_path, counting):
    model, asked = counting
    task = toy(30, pictures=3, reports=False)
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "medevalkit", "run", "--model", model),
        *("--tasks", f"manifest:{task}", "--out", str(out)),
    ]
    environment = {**os.environ, "SLOW": "0.02"}
    for patience in (0.1, 0.15, 0.2):
        child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        before = len(asked())
        while child.poll() is None and len(asked()) < before + 4:
            time.sleep(0.01)
        time.sleep(patience)
        child.send_signal(signal.SIGKILL)
        child.wait()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    # A kill may lose the one request that was in flight, and no other.
    assert len(set(asked())) == 30 and len(asked()) <= 33
    calm = tmp_path / "calm"
    subprocess.run([*command[:-1], str(calm)], check=True, capture_output=True)
    assert (calm / "scores.json").read_bytes() == (out / "scores.json").read_bytes()
    assert json.loads((out / "run.json").read_text())["finished"]


def test_a_cache_serves_other_runs(toy, tmp_path, counting):
    model, asked = counting
    task = toy(8, reports=False)
    cache = f"cache={tmp_path}/cache.sqlite"
    run(settings(task, cache, model=model), tmp_path / "one")
    run(settings(task, cache, model=model), tmp_path / "two")
    assert len(asked()) == 8
    assert [p.response for p in predictions(tmp_path / "two")] == ["yes"] * 8
    run(settings(task, cache, "sampling.seed=5", model=model), tmp_path / "three")
    assert len(asked()) == 16


def test_without_pictures_the_same_question_is_another(toy, tmp_path, counting):
    model, asked = counting
    task = toy(6, pictures=2, reports=False)
    run(settings(task, model=model), tmp_path / "out")
    run(settings(task, "blind=true", model=model), tmp_path / "out")
    assert len(set(asked())) == 12


def test_a_record_that_cannot_be_put_is_unanswered(toy, tmp_path, counting):
    model, asked = counting
    task = toy(3, pictures=1, reports=False)
    lines = [record.model_dump(mode="json", exclude_none=True) for record in Manifest(task)]
    lines[1]["question"] = "<image> beside <image>?"
    odd = task / "odd.jsonl"
    odd.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run(settings(odd, model=model), tmp_path / "out")
    failed = [said for said in predictions(tmp_path / "out") if said.finish_reason == "error"]
    assert len(failed) == 1 and "marks 2 pictures" in failed[0].error
    assert len(asked()) == 2


def test_the_oracle_knows_items_that_are_put_in_the_same_words(toy, tmp_path):
    task = tmp_path / "twins.jsonl"
    record = json.loads((toy(2) / "part-00000.jsonl").read_text().splitlines()[1])
    twins = [{**record, "id": f"toy/{n:020x}", "answer": ("yes", "no")[n]} for n in range(2)]
    task.write_text("".join(json.dumps(twin) + "\n" for twin in twins))
    run(settings(task, model="oracle"), tmp_path / "out")
    assert [said.response for said in predictions(tmp_path / "out")] == ["yes", "no"]
    run(settings(task, model=f"replay:{tmp_path}/out/predictions"), tmp_path / "again")
    assert [said.response for said in predictions(tmp_path / "again")] == ["yes", "no"]
