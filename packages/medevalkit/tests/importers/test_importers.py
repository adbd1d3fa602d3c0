"""Every format of predictions: read, scored as a run of our own, broken rows set aside."""

import csv
import json
import sys

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction, Score
from medevalkit.cli import main
from medevalkit.comparing import compare
from medevalkit.importer import IMPORTERS
from medevalkit.importing import Import, import_run
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings

OFFICIAL = [
    # VQA-RAD
    {"question": "Is it large?", "answer": "yes", "response": "Yes, it is.", "correct": True},
    {"question": "Which organ?", "answer": "liver", "response": "spleen", "correct": False},
    # SLAKE
    {"question": "正常吗?", "answer": "是", "answer_type": "CLOSED", "q_lang": "zh",
     "response": "是", "img_name": "a.jpg"},
    # MedQA and others
    {"question": "What now?", "choices": ["A. rest", "B. surgery"], "answer": "B",
     "response": "The answer should be B.", "correct": False},
    # OmniMedVQA keeps the text of the right option beside the letter.
    {"question": "Seen?", "choices": ["A. mass", "B. cyst"], "answer": "A",
     "gt_answer": "mass", "modality_type": "CT", "response": ""},
    # reports
    {"findings": "Clear lungs.", "impression": "Normal.", "response": "Impression: Normal."},
    {"question": "Lost?", "answer": "yes", "correct": False},
]  # fmt: skip
LM_EVAL = [
    # generate_until
    {"doc_id": 0, "doc": {"question": "What now?", "choices": ["rest", "surgery"]}, "target": "1",
     "arguments": {"gen_args_0": {"arg_0": "Q: What now?", "arg_1": {}}},
     "resps": [["(B)"]], "filtered_resps": ["(B)"], "filter": "none"},
    # multiple_choice, leaves as the harness writes them
    {"doc_id": 1, "doc": {"query": "Seen?", "opa": "mass", "opb": "cyst", "cop": 0}, "target": "0",
     "arguments": {"gen_args_0": {"arg_0": "Seen?", "arg_1": " A"},
                   "gen_args_1": {"arg_0": "Seen?", "arg_1": " B"}},
     "resps": [[["-1.5", "True"]], [["-9.0", "False"]]],
     "filtered_resps": [["-1.5", "True"], ["-9.0", "False"]]},
    # an older log, options only among the continuations
    {"doc_id": 2, "doc": {"question": "So?"}, "target": 2,
     "arguments": [["So?", " yes"], ["So?", " no"], ["So?", " maybe"]],
     "resps": [[[-3.0, False]], [[-1.0, True]], [[-2.0, False]]],
     "filtered_resps": [[-3.0, False], [-1.0, True], [-2.0, False]]},
    {"doc_id": 3, "doc": {"question": "Empty?"}, "target": "yes", "filtered_resps": []},
]  # fmt: skip
TABLE = [
    {"index": 0, "question": "Seen?", "A": "mass", "B": "cyst", "C": "", "answer": "B",
     "prediction": "B", "category": "CT"},
    {"index": 1, "question": "Where?", "A": "", "B": "", "C": "", "answer": "left lung",
     "prediction": "left lung", "category": "CT"},
    {"index": 2, "question": "Is it?", "A": "", "B": "", "C": "", "answer": "yes",
     "prediction": "Failed to obtain answer via API.", "category": "MRI"},
    {"index": 3, "question": "Wrong?", "A": "mass", "B": "cyst", "C": "", "answer": "D",
     "prediction": "B", "category": "MRI"},
]  # fmt: skip
LINES = [
    {"question": "Seen?", "options": ["mass", "cyst"], "answer": "cyst", "response": "B"},
    {"question": "Seen?", "options": ["mass", "cyst"], "answer": "cyst", "response": "A"},
    {"question": "Is it?", "gold": "no", "response": "No.", "subject": "lung"},
    {"question": "Lost?", "answer": "no", "response": None},
    {"question": "", "answer": "no", "response": "no"},
]


def imported(tmp_path, form, path, *, items=None, task="toy"):
    out = tmp_path / f"run-{form}-{path.suffix[1:]}"
    import_run(Import(path, form, task, "old", items), out)
    return out


def verdicts(out):
    by_item = {s.item: s for s in Manifest(out / "scores" / "strict").of(Score)}
    said = Manifest(out / "predictions").of(Prediction)
    return [by_item[p.item].verdict for p in said]


def aside(out):
    lines = (out / "imported" / "predictions" / "set_aside.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def written(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif path.suffix == ".xlsx":
        book = pytest.importorskip("openpyxl").Workbook()
        book.active.append(list(rows[0]))
        for row in rows:
            book.active.append([value or None for value in row.values()])
        book.save(path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], dialect="excel-tab")
            writer.writeheader()
            writer.writerows(rows)
    return path


def test_results_of_the_official_kit(tmp_path):
    out = imported(tmp_path, "official", written(tmp_path / "results.json", OFFICIAL))
    scores = score(out, ["strict", "official"])
    assert scores.model == "old" and scores.finished
    assert verdicts(out) == ["right", "wrong", "right", "right", "unparsed", "right"]
    assert aside(out) == [{"row": 7, "reason": "lacks the field 'response'"}]
    found = {(r.kind, r.profile): r for r in scores.rows if r.by is None}
    # The kit reads "should be B" as A and an empty answer as A; it says so again here.
    assert found["choice", "official"].accuracy == 0.5
    assert found["choice", "strict"].accuracy == 0.5
    assert found["choice", "strict"].unparsed == 0.5
    assert found["choice", "official"].unparsed == 0
    (languages,) = {
        r.language for r in Manifest(out / "items" / "toy.jsonl") if "正常吗?" in r.texts()
    }
    assert languages == "zh"


def test_sample_logs_of_lm_eval(tmp_path):
    out = imported(tmp_path, "lm-eval", written(tmp_path / "samples_toy.jsonl", LM_EVAL))
    score(out)
    assert verdicts(out) == ["right", "right", "wrong"]
    texts = [[o.text for o in r.options] for r in Manifest(out / "items" / "toy.jsonl")]
    assert texts == [["rest", "surgery"], ["mass", "cyst"], ["yes", "no", "maybe"]]
    assert aside(out) == [{"row": 4, "reason": "field filtered_resps: has no response"}]


@pytest.mark.parametrize("suffix", [".xlsx", ".tsv", ".json"])
def test_tables_of_vlmevalkit(tmp_path, suffix):
    out = imported(tmp_path, "vlmevalkit", written(tmp_path / f"Model_Toy{suffix}", TABLE))
    scores = score(out)
    assert verdicts(out) == ["right", "right", "unanswered"]
    assert aside(out) == [{"row": 4, "reason": "field answer: 'D' is none of the options"}]
    assert {r.tags["category"] for r in Manifest(out / "items" / "toy.jsonl")} == {"CT", "MRI"}
    assert next(r for r in scores.rows if r.kind == "closed").unanswered == 1


def test_plain_lines(tmp_path):
    out = imported(tmp_path, "jsonl", written(tmp_path / "said.jsonl", LINES))
    score(out)
    # The same question twice is two items, and neither gets the answer of the other.
    assert verdicts(out) == ["right", "wrong", "right", "unanswered"]
    assert aside(out) == [{"row": 5, "reason": "field question: has no question"}]
    tags = [r.tags for r in Manifest(out / "items" / "toy.jsonl")]
    assert tags[2] == {"subject": "lung"}


def test_the_same_command_does_nothing_and_another_is_refused(tmp_path):
    path = written(tmp_path / "said.jsonl", LINES)
    out = imported(tmp_path, "jsonl", path)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    imported(tmp_path, "jsonl", path)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    with pytest.raises(SettingsError, match="other inputs"):
        imported(tmp_path, "jsonl", written(path, LINES[:2]))


def test_rows_find_the_items_that_were_asked(toy, tmp_path):
    task = toy(24, pictures=4)
    given = ["model=constant:B", f'tasks=["manifest:{task}"]']
    run(load_recipe(RunSettings, None, given), tmp_path / "own")
    ours = score(tmp_path / "own")
    rows = []
    for record in Manifest(task):
        if record.type == "question":
            options = [option.text for option in record.options]
            rows.append({"question": record.question, "answer": record.answer, "response": "B",
                         **({"choices": options} if options else {})})  # fmt: skip
        else:
            rows.append(
                {"findings": record.findings, "impression": record.impression, "response": "B"}
            )
    rows.append({"question": "Who asked this?", "answer": "nobody", "response": "B"})
    path = written(tmp_path / "results.json", rows)
    out = imported(tmp_path, "official", path, items=task)
    theirs = score(out)
    assert theirs.rows == ours.rows  # pictures, tags and all
    assert aside(out)[0]["reason"] == "no item has this question and answer"
    assert compare(tmp_path / "own", out).changed == ()


def test_rows_find_their_items_by_id(toy, tmp_path):
    task = toy(8)
    rows = [{"id": record.id, "response": "yes"} for record in list(Manifest(task))[::-1]]
    rows += [{"id": "nobody", "response": "yes"}, rows[0]]
    out = imported(tmp_path, "jsonl", written(tmp_path / "said.jsonl", rows), items=task)
    said = list(Manifest(out / "predictions").of(Prediction))
    assert [p.item for p in said] == [record.id for record in Manifest(task)]
    assert [one["row"] for one in aside(out)] == [9, 10]


def test_an_item_without_a_row_is_unanswered(toy, tmp_path):
    task = toy(8)
    rows = [{"id": record.id, "response": "yes"} for record in list(Manifest(task))[:6]]
    out = imported(tmp_path, "jsonl", written(tmp_path / "said.jsonl", rows), items=task)
    assert next(r for r in score(out).rows if r.kind == "all").unanswered == 0.25


@pytest.mark.parametrize(
    ("form", "name", "text", "error", "words"),
    [
        ("official", "results.json", '{"a": 1}', DataError, "is no list of samples"),
        ("official", "results.json", "[1", DataError, "is no JSON"),
        ("official", "results.json", '[{"a": 1}]', DataError, "no row can be used: lacks"),
        ("jsonl", "said.jsonl", "{}\n{broken\n", DataError, "said.jsonl:2"),
        ("jsonl", "said.jsonl", "", DataError, "there are none"),
        ("vlmevalkit", "a.tsv", "x\ty\n1\t2\n", DataError, "lacks the field 'prediction'"),
        ("lm_evil", "samples.jsonl", "{}", SettingsError, "did you mean 'lm_eval'"),
    ],
)
def test_what_is_none_of_the_format_is_said(tmp_path, form, name, text, error, words):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        imported(tmp_path, form, tmp_path / name)
    with pytest.raises(SettingsError, match="there is no such file"):
        imported(tmp_path, form, tmp_path / "nothing.json")


def test_a_benchmarks_name_brings_its_card(tmp_path):
    path = written(tmp_path / "results.json", OFFICIAL[:2])
    out = imported(tmp_path, "official", path, task="vqa-rad")
    (licences,) = {r.source.licence for r in Manifest(out / "items" / "vqa-rad.jsonl")}
    assert licences == "CC0-1.0"
    assert json.loads((out / "run.json").read_text())["tasks"][0]["benchmark"] == "vqa-rad"


def test_every_format_says_what_it_is():
    for name, importer in IMPORTERS.items():
        assert importer.describe, name


def test_from_the_command_line_and_out_again(tmp_path, monkeypatch, capsys):
    path = written(tmp_path / "said.jsonl", LINES)
    given = ["import", path, "--from", "jsonl", "--task", "toy", "--model", "old"]
    monkeypatch.setattr(sys, "argv", ["medevalkit", *map(str, given), "-o", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert "Accuracy" in capsys.readouterr().out
    given = ["export", tmp_path / "run", "--to", "lm-eval", "--out", tmp_path / "exports"]
    monkeypatch.setattr(sys, "argv", ["medevalkit", *map(str, given)])
    with pytest.raises(SystemExit):
        main()
    assert len(capsys.readouterr().out.splitlines()) == 2
