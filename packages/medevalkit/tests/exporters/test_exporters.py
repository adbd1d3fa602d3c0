"""What is exported is read again by the tools it is meant for, and says the same."""

import json
import sys

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.exporter import EXPORTERS, Export
from medevalkit.importing import Import, import_run
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings


@pytest.fixture
def ended(toy, tmp_path):
    """Returns a scored run over all kinds of items, and its scores."""
    out = tmp_path / "out"
    given = ["model=constant:yes", f'tasks=["vqa-rad={toy(24, pictures=3)}"]', "label=my:model"]
    run(load_recipe(RunSettings, None, given), out)
    return out, score(out)


def exported(form, run_folder, out, profile="strict"):
    return EXPORTERS.get(form).write(Export(run_folder, profile), out)


def whole(scores, kind="all", profile="strict"):
    return next(r for r in scores.rows if (r.kind, r.by, r.profile) == (kind, None, profile))


def test_lm_eval_and_back(ended, tmp_path):
    folder, _ = ended
    scores = score(folder, ["strict", "official"])
    results, samples = exported("lm-eval", folder, tmp_path / "exports")
    assert results.parent.name == "my_model" and results.name.startswith("results_2")
    assert samples.name.startswith("samples_vqa-rad_2")
    found = json.loads(results.read_text())
    mine = found["results"]["vqa-rad"]
    assert mine["acc,strict"] == whole(scores).accuracy
    assert 0 < mine["acc_stderr,strict"] < 0.5
    assert found["n-samples"]["vqa-rad"] == {"original": 24, "effective": 24}
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    assert [line["doc_id"] for line in lines] == list(range(24))
    assert sum(line.get("acc", 0) for line in lines) / 24 == pytest.approx(mine["acc,strict"])
    assert lines[0]["arguments"]["gen_args_0"]["arg_0"].count("Which modality") == 1

    again = tmp_path / "again"
    import_run(Import(samples, "lm-eval", "vqa-rad", "back"), again)
    back = score(again, ["strict", "official"])
    for profile in ("strict", "official"):
        for kind in ("all", "open", "closed", "choice", "report"):
            one, other = (whole(s, kind, profile) for s in (scores, back))
            assert (other.n, other.accuracy, other.unparsed) == (one.n, one.accuracy, one.unparsed)
            assert {n: m.mean for n, m in other.metrics.items()} == {
                n: m.mean for n, m in one.metrics.items()
            }


def test_lm_eval_writes_the_same_bytes_again(ended, tmp_path):
    folder, _ = ended
    first = [p.read_bytes() for p in exported("lm-eval", folder, tmp_path / "a")]
    assert [p.read_bytes() for p in exported("lm-eval", folder, tmp_path / "a")] == first


@pytest.mark.slow
def test_inspect_reads_its_log(ended, tmp_path):
    log = pytest.importorskip("inspect_ai.log")
    folder, scores = ended
    (path,) = exported("inspect-ai", folder, tmp_path / "logs")
    found = log.read_eval_log(str(path))
    assert (found.status, found.eval.task, found.eval.model) == ("success", "vqa-rad", "my/model")
    metrics = found.results.scores[0].metrics
    assert metrics["accuracy"].value == whole(scores).accuracy
    assert metrics["unparsed"].value == whole(scores).unparsed
    said = list(Manifest(folder / "predictions").of(Prediction))
    assert {s.id for s in found.samples} == {p.item for p in said}
    assert {s.output.completion for s in found.samples} == {"yes"}
    values = [s.scores["strict"].value for s in found.samples]
    assert values.count("C") / len(values) == pytest.approx(whole(scores).accuracy)
    choice = next(s for s in found.samples if s.choices)
    assert len(choice.choices) == 4 and choice.target in "ABCD"
    headers = log.list_eval_logs(str(tmp_path / "logs"))
    assert [header.task for header in headers] == ["vqa-rad"]


def test_eval_results_of_the_hub(ended, tmp_path):
    hub, yaml = pytest.importorskip("huggingface_hub"), pytest.importorskip("yaml")
    folder, scores = ended
    (path,) = exported("eval-results", folder, tmp_path / "card")
    assert path.relative_to(tmp_path).parts == ("card", ".eval_results", "vqa-rad.yaml")
    (entry,) = hub.parse_eval_result_entries(yaml.safe_load(path.read_text()))
    assert entry.dataset_id == "flaviagiammarino/vqa-rad"
    assert entry.value == pytest.approx(100 * whole(scores).accuracy, abs=0.005)
    assert entry.dataset_revision.startswith("bcf91e")
    assert "profile strict" in entry.notes and "24 items" in entry.notes


def test_a_model_index(ended, tmp_path):
    cards = pytest.importorskip("huggingface_hub.repocard_data")
    yaml = pytest.importorskip("yaml")
    folder, _ = ended
    scores = score(folder, ["official"])
    (path,) = exported("model-index", folder, tmp_path / "card", "official")
    found = yaml.safe_load(path.read_text())["model-index"]
    name, results = cards.model_index_to_eval_results(found)
    assert name == "my:model"
    by_type = {result.metric_type: result for result in results}
    row = whole(scores, profile="official")
    assert by_type["accuracy"].metric_value == row.accuracy
    assert by_type["accuracy"].metric_name == "accuracy (official)"
    assert by_type["accuracy"].dataset_name == "VQA-RAD"
    assert set(by_type) == {"accuracy", *row.metrics}


def test_what_cannot_be_exported_is_said(ended, tmp_path):
    folder, _ = ended
    with pytest.raises(DataError, match=r"not scored under official-2025-06: give `medevalkit"):
        exported("lm-eval", folder, tmp_path / "x", "official-2025-06")
    with pytest.raises(SettingsError, match="did you mean 'lm_eval'"):
        exported("lm-evil", folder, tmp_path / "x")
    plain = tmp_path / "plain"
    given = ["model=oracle", f'tasks=["manifest:{tmp_path / "toy"}"]']
    run(load_recipe(RunSettings, None, given), plain)
    score(plain)
    pytest.importorskip("huggingface_hub")
    with pytest.raises(SettingsError, match="no task that the hub could show"):
        exported("eval-results", plain, tmp_path / "x")


def test_a_missing_extra_is_named(ended, tmp_path, monkeypatch):
    folder, _ = ended
    for form, module, extra in (
        ("inspect-ai", "inspect_ai.log", "inspect"),
        ("eval-results", "huggingface_hub", "hub"),
        ("model-index", "huggingface_hub", "hub"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(SettingsError, match=rf"lingshu-medevalkit\[{extra}\]"):
            exported(form, folder, tmp_path / "x")
