"""What a run would cost is said before it is run, and it is what the run then asks."""

import json

import pytest

from lingshu_synth.estimate import estimate
from lingshu_synth.generator import GENERATORS
from lingshu_synth.runner import Job, Ways


def job(name, inputs, out, journal, **settings):
    chosen = GENERATORS.get(name).settings.model_validate(settings)
    return Job(name, (inputs,), out, chosen, Ways(journal))


@pytest.mark.parametrize("name", ["captions", "cot"])
def test_an_estimate_counts_the_calls_that_are_made(
    server, synth, gallery, asked_questions, tmp_path, name
):
    inputs = gallery if name == "captions" else asked_questions
    settings = {"model": {"name": "gpt-4o", "max_tokens": 300}, "limit": 5}
    before, price = estimate(job(name, inputs, tmp_path / "out", tmp_path / "j", **settings))
    mock = server()
    calls = {"endpoints": [{"url": mock.url}]}
    synth(name, inputs, tmp_path / "out", journal=tmp_path / "j", calls=calls, **settings)
    assert before.calls() == pytest.approx(mock.stats()["billed"], abs=1)
    usual = before.usd(price, batch=False)
    assert 0 < usual <= before.usd(price, batch=False, most=True)
    assert before.usd(price, batch=True) == pytest.approx(usual / 2)
    after, _ = estimate(job(name, inputs, tmp_path / "out", tmp_path / "j", **settings))
    assert after.calls() == 0, "what the journal holds is not paid again"


def test_prices_of_ones_own_stand_before_those_of_the_package(gallery, command, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text("[models.gpt-4o]\nprompt = 1e6\nreply = 0.0\n")
    words = ["estimate", "captions", gallery, "--model", "gpt-4o", "--json", "--set", "limit=2"]
    told = json.loads(command(*words, "--set", f"calls.prices={prices}").stdout)
    tokens = sum(stage["prompt_tokens"] for stage in told["stages"].values())
    assert told["usd"] == pytest.approx(tokens) and tokens > 1000


def test_an_estimate_for_machines_and_a_dry_run_ask_nothing(
    gallery, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["captions", gallery, "--model", "gpt-4o", "--set", "limit=5"]
    done = command("estimate", *words, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["records"] == 5 and told["calls"] == 15 and told["usd"] > 0
    # An address where nobody answers: nothing may be asked there.
    words = [*words, "--out", "out", "--endpoint", "http://127.0.0.1:9/v1", "--dry-run"]
    done = command(*words)
    assert done.returncode == 0 and "15 calls to make" in done.stdout
    assert not (tmp_path / "out").exists()
