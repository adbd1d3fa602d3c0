"""`medevalkit measure`: what models measure is kept, and scoring reads it without them."""

import json
import sys

import pytest
from typer.testing import CliRunner

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.recipe import load_recipe
from medevalkit.cli import app
from medevalkit.kept import CACHE_NAME, KeptValues
from medevalkit.measure import measure
from medevalkit.metric import METRICS, Pair, Weights, by_model
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import ReportSettings, RunSettings
from medevalkit.tables import grids, written

FEATURES = ("radgraph-f1", "bertscore", "sembscore")


class Counting:
    """Measures how many words two texts share; a model in its stead."""

    def __init__(self, name, seen, dies_at):
        self.name, self.seen, self.dies_at = name, seen, dies_at

    def measure(self, pairs):
        if len(self.seen) >= self.dies_at:
            raise KeyboardInterrupt
        self.seen.extend(pairs)
        return [{self.name: _shared(pair)} for pair in pairs]


def _shared(pair):
    said, wanted = set(pair.response.split()), set(pair.reference.split())
    return len(said & wanted) / len(wanted)


@pytest.fixture
def counted(monkeypatch):
    """Puts a count of words where three models would be; returns what they were asked."""
    seen = {name: [] for name in FEATURES}
    limits = dict.fromkeys(FEATURES, 10**9)
    find = type(METRICS).get

    def metric(name):
        weights = Weights(
            {name: f"nobody/{name}"},
            lambda places, settings: Counting(name, seen[name], limits[name]),
            f"of {name}",
        )
        return by_model(name, name, weights)

    def items(self):
        yield from ((name, get(self, name)) for name in self.names())

    def get(self, name):
        known = name.replace("_", "-")
        return metric(known) if known in seen else find(self, name)

    monkeypatch.setattr(type(METRICS), "get", get)
    monkeypatch.setattr(type(METRICS), "items", items)
    return seen, limits


@pytest.fixture
def reports(toy, tmp_path):
    """Returns a scored run with reports in it."""
    out = tmp_path / "out"
    words = ["model=constant:Findings: The lungs are clear.", f'tasks=["manifest:{toy(24)}"]']
    run(load_recipe(RunSettings, None, words), out)
    score(out)
    return out


def row(scores):
    return next(one for one in scores.rows if one.kind == "report" and one.by is None)


def test_what_was_measured_is_in_the_tables_and_radcliq_with_it(reports, counted):
    seen, _ = counted
    assert "bertscore" not in row(score(reports)).metrics
    measure(reports, ["bertscore"], ReportSettings())
    found = row(score(reports)).metrics
    assert found["bertscore"].mean == pytest.approx(4 / 7)
    assert found["findings.bertscore"].mean == 1.0 and found["impression.bertscore"].mean == 0.0
    assert found["bertscore"].constant is not None and "radcliq-v1" not in found
    assert measure(reports, FEATURES, ReportSettings()) == list(FEATURES)
    found = row(score(reports)).metrics
    assert {*FEATURES, "radcliq-v0", "radcliq-v1", "findings.radcliq-v1"} <= set(found)
    assert "(1/mean " in written(grids([score(reports)]), "text")
    # Equal pairs are measured once: whole, findings, impression; own, constant, shuffled.
    assert len(seen["bertscore"]) == len(set(seen["bertscore"])) == 8


def test_scoring_again_gives_the_same_bytes_without_any_model(reports, counted, monkeypatch):
    measure(reports, FEATURES, ReportSettings())
    score(reports)
    before = (reports / "scores.json").read_bytes()
    for module in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, module, None)
    score(reports)
    assert (reports / "scores.json").read_bytes() == before


def test_killed_it_goes_on_and_asks_nothing_twice(reports, counted, monkeypatch):
    seen, limits = counted
    monkeypatch.setattr("medevalkit.measure._BATCHES", 1)
    limits["bertscore"] = 6
    with pytest.raises(KeyboardInterrupt):
        measure(reports, ["bertscore"], ReportSettings(batch_size=2))
    assert len(seen["bertscore"]) == 6
    notes = score(reports).notes
    assert "pairs are not measured yet" in notes["bertscore"]
    assert str(reports) not in json.dumps(notes)
    limits["bertscore"] = 10**9
    measure(reports, ["bertscore"], ReportSettings())
    assert len(seen["bertscore"]) == len(set(seen["bertscore"])) == 8
    assert "bertscore" in row(score(reports)).metrics


def test_other_weights_measure_again(reports, counted, tmp_path):
    seen, _ = counted
    measure(reports, ["bertscore"], ReportSettings())
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "config.json").write_text("{}")
    given = ReportSettings(weights={"bertscore": str(tmp_path / "weights")})
    measure(reports, ["bertscore"], given)
    assert len(seen["bertscore"]) == 16
    with KeptValues(reports) as kept:
        told = kept.told["bertscore"]
    assert len(told.weights["bertscore"]) == 64 and str(tmp_path) not in told.model_dump_json()


def test_what_is_not_measured_says_how(reports):
    settings = json.loads((reports / "settings.json").read_text())
    settings["reports"]["metrics"] = ["rouge-l", "bertscore", "radcliq-v1"]
    (reports / "settings.json").write_text(json.dumps(settings))
    scores = score(reports)
    assert "medevalkit measure RUN --metric bertscore" in scores.notes["bertscore"]
    for feature in FEATURES:
        assert f"--metric {feature}" in scores.notes["radcliq-v1"]
    assert "rouge-l" in row(scores).metrics


def test_wrong_words_are_refused(reports, counted):
    with pytest.raises(SettingsError, match=r"'bertscor' is no metric with a model.*bertscore"):
        measure(reports, ["bertscor"], ReportSettings())
    with pytest.raises(SettingsError, match="no metric has weights called 'bertscor'"):
        measure(reports, [], ReportSettings(weights={"bertscor": "x"}))


def test_a_run_without_reports_is_refused(toy, tmp_path, counted):
    words = ["model=oracle", f'tasks=["manifest:{toy(3)}"]']
    run(load_recipe(RunSettings, None, words), tmp_path / "out")
    with pytest.raises(DataError, match="has no answered report"):
        measure(tmp_path / "out", ["bertscore"], ReportSettings())


def test_a_broken_value_is_named(reports, counted):
    measure(reports, ["bertscore"], ReportSettings())
    from medevalkit.cache import Cache

    with KeptValues(reports) as kept:
        told = kept.told["bertscore"]
    (reports / CACHE_NAME).unlink()
    pair = Pair("Findings", "gold")
    with Cache(reports / CACHE_NAME) as cache:
        cache.put(told.key(pair), "[1]")
    with KeptValues(reports) as kept, pytest.raises(DataError, match="values that are broken"):
        kept.read("bertscore", [pair])


def test_metrics_without_weights_are_passed_over(reports, counted, tmp_path, capsys):
    pytest.importorskip("torch")
    given = {part: str(tmp_path) for part in ("green", "bertscore")}
    assert measure(reports, [], ReportSettings(weights=given)) == ["bertscore"]
    assert "green: passed over: " in capsys.readouterr().err
    with pytest.raises(SettingsError, match=r"none of the metrics has its weights"):
        measure(reports, [], ReportSettings(weights={"green": str(tmp_path)}))


def test_the_command_line_measures_and_prints_the_tables(reports, counted):
    given = ["--metric", "bertscore", "-s", "batch_size=2"]
    ran = CliRunner().invoke(app, ["measure", str(reports), *given], catch_exceptions=False)
    assert ran.exit_code == 0 and "findings.bertscore" in ran.stdout
