import json
import shutil

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.merge import merge
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings


def made(task, out, *more, model="constant:yes"):
    given = [f"model={model}", f'tasks=["manifest:{task}"]', *more]
    run(load_recipe(RunSettings, None, given), out)
    return out


@pytest.mark.parametrize("more", [(), ("circular=true",), ("limit=11",)])
def test_shards_together_are_the_whole_run(toy, tmp_path, more):
    task = toy(23, pictures=4)
    whole = made(task, tmp_path / "whole", *more)
    shards = [made(task, tmp_path / f"{i}", f"shard=[{i},3]", *more) for i in range(3)]
    merge([shards[2], shards[0], shards[1]], tmp_path / "merged")
    score(whole)
    score(tmp_path / "merged")
    same = (tmp_path / "merged" / "scores.json").read_bytes()
    assert same == (whole / "scores.json").read_bytes()
    said = [
        list(Manifest(out / "predictions").of(Prediction)) for out in (whole, tmp_path / "merged")
    ]
    assert said[0] == said[1]


def test_a_missing_shard_is_named(toy, tmp_path):
    task = toy(6)
    shards = [made(task, tmp_path / f"{i}", f"shard=[{i},3]") for i in (0, 2)]
    with pytest.raises(SettingsError, match=r"missing or given twice: \[1\]"):
        merge(shards, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_shards_of_different_runs_are_not_mixed(toy, tmp_path):
    task = toy(6)
    one = made(task, tmp_path / "0", "shard=[0,2]")
    other = made(task, tmp_path / "1", "shard=[1,2]", "protocol=think")
    with pytest.raises(SettingsError, match="not shards of the same run"):
        merge([one, other], tmp_path / "merged")
    whole = made(task, tmp_path / "whole")
    with pytest.raises(SettingsError, match="is no shard"):
        merge([one, whole], tmp_path / "merged")


def test_a_shard_that_was_not_asked_to_its_end_is_refused(toy, tmp_path):
    task = toy(6)
    shards = [made(task, tmp_path / f"{i}", f"shard=[{i},2]") for i in range(2)]
    # The manifest of predictions is what a run ends with.
    shutil.rmtree(shards[1] / "predictions")
    with pytest.raises(DataError, match="not finished"):
        merge(shards, tmp_path / "merged")


def test_what_failed_in_a_shard_is_asked_by_the_whole(toy, tmp_path, endpoint, capsys):
    task = toy(6, reports=False)
    more = (f"endpoint.base_url={endpoint.url}", "endpoint.retries=0")
    endpoint.answer = lambda body, number: (
        (500, {}, b"") if "in 1?" in json.dumps(body) else endpoint.say("yes")
    )
    shards = [
        made(task, tmp_path / f"{i}", f"shard=[{i},2]", *more, model="openai:any") for i in range(2)
    ]
    merge(shards, tmp_path / "merged")
    assert "1 unanswered" in capsys.readouterr().err
    assert score(tmp_path / "merged").rows[0].unanswered == pytest.approx(1 / 6, abs=1e-6)
    endpoint.answer = lambda body, number: endpoint.say("yes")
    asked = len(endpoint.bodies)
    made(task, tmp_path / "merged", *more, model="openai:any")
    assert len(endpoint.bodies) == asked + 1
    assert score(tmp_path / "merged").rows[0].unanswered == 0
