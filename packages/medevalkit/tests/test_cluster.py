"""A run on a Ray cluster of this machine: a real one, and the bytes of one machine."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.recipe import load_recipe
from medevalkit.cluster import run_on_ray
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def ray():
    """Returns Ray, installed; its warnings about itself are its own."""
    # Not imported here: what our own code sets, Ray reads at its import.
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.filters", [("ignore", None, Warning, None, 0)])
        yield


def settings(task, model="constant:yes", *more):
    return load_recipe(RunSettings, None, [f"model={model}", f'tasks=["manifest:{task}"]', *more])


def test_the_scores_are_those_of_one_machine_byte_for_byte(toy, tmp_path, ray):
    task = toy(31, pictures=4)
    run(settings(task), tmp_path / "one")
    score(tmp_path / "one")
    out = tmp_path / "many"
    assert run_on_ray(settings(task), out, "local", parts=3, data=None)
    score(out)
    for name in ("scores.json", "predictions/part-00000.jsonl"):
        assert (out / name).read_bytes() == (tmp_path / "one" / name).read_bytes(), name
    assert not (tmp_path / ".many.parts").exists()
    # Given again, it says so and starts nothing.
    assert not run_on_ray(settings(task), out, "local", parts=3, data=None)


def test_a_part_that_stops_is_gone_on_with(toy, tmp_path, ray, endpoint):
    task = toy(16, reports=False)
    given = (
        f"endpoint.base_url={endpoint.url}",
        *("endpoint.retries=0", "endpoint.error_budget=3", "endpoint.concurrency=1"),
    )
    asked = settings(task, "openai:any", *given)
    out = tmp_path / "out"
    endpoint.answer = lambda body, number: (
        endpoint.say("yes") if number <= 6 else (500, {}, b"down")
    )
    with pytest.raises(Stopped, match=r"part \d: .*same command goes on"):
        run_on_ray(asked, out, "local", parts=2, data=None)
    answered = sum(
        json.loads(line).get("prediction", {}).get("finish_reason") == "stop"
        for path in (tmp_path / ".out.parts").glob("*/journal.jsonl")
        for line in path.read_text().splitlines()
    )
    assert answered == 6 and not out.exists()
    endpoint.answer = lambda body, number: endpoint.say("yes")
    before = len(endpoint.bodies)
    # However many are asked for now: the parts that were begun are gone on with.
    assert run_on_ray(asked, out, "local", parts=4, data=None)
    assert len(endpoint.bodies) - before == 16 - 6


def test_what_cannot_be_is_said(toy, tmp_path, ray):
    task = toy(4)
    with pytest.raises(SettingsError, match="leave --shard out"):
        run_on_ray(settings(task, "oracle", "shard=[0,2]"), tmp_path, "auto", parts=1, data=None)
    with pytest.raises(SettingsError, match="no Ray cluster at auto"):
        run_on_ray(settings(task), tmp_path / "out", "auto", parts=1, data=None)
    out = tmp_path / "begun"
    run(settings(task), out)
    state = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**state, "finished": False}))
    with pytest.raises(SettingsError, match="begun on one machine"):
        run_on_ray(settings(task), out, "local", parts=1, data=None)


def test_the_command_killed_goes_on(toy, tmp_path, ray, endpoint):
    def slow(body, number):
        time.sleep(0.1)
        return endpoint.say("yes")

    endpoint.answer = slow
    task, out = toy(60, reports=False), tmp_path / "out"
    words = [sys.executable, "-m", "medevalkit", "run", "--model", "openai:any", "-o", str(out)]
    words += ["--tasks", f"manifest:{task}", "--ray", "local", "--parts", "2"]
    for given in (f"base_url={endpoint.url}", "concurrency=1"):
        words += ["-s", f"endpoint.{given}"]
    first = subprocess.Popen(words, start_new_session=True, stderr=subprocess.DEVNULL)
    while len(endpoint.bodies) < 20 and first.poll() is None:
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    # Ray ends its workers when their driver is gone.
    before = -1
    while before != len(endpoint.bodies):
        before = len(endpoint.bodies)
        time.sleep(1)
    subprocess.run(words, check=True, capture_output=True)
    assert (out / "scores.json").is_file()
    # What was in flight at the kill, one in each part, may have been asked twice.
    assert len(endpoint.bodies) <= 60 + 2
