import io
import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from typer.main import get_command

from medevalkit.cli import app, main

COMMANDS = tuple(get_command(app).commands)


@dataclass
class Ran:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def medevalkit(monkeypatch, capsys):
    """Returns the command line, run in this process."""

    def start(*arguments, typed=""):
        monkeypatch.setattr(sys, "argv", ["medevalkit", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return start


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, medevalkit):
    shown = medevalkit(command, "--help")
    assert shown.returncode == 0 and "Example: `medevalkit " in shown.stdout


def test_the_command_line_is_light():
    code = "import sys, medevalkit.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"torch", "transformers", "vllm", "numpy", "PIL", "pydantic", "urllib3", "nltk"}
    assert not heavy & set(loaded)


def test_a_run_from_the_command_line(toy, tmp_path, medevalkit):
    task = toy(8)
    ran = medevalkit(
        *("run", "--model", "oracle", "--tasks", f"manifest:{task}", "--out", tmp_path / "out")
    )
    assert ran.returncode == 0, ran.stderr
    rows = json.loads((tmp_path / "out" / "scores.json").read_text())["rows"]
    assert rows[0]["accuracy"] == 1.0
    again = medevalkit(
        *("run", "--model", "oracle", "--tasks", f"manifest:{task}", "--out", tmp_path / "out")
    )
    assert again.returncode == 0 and "everything is answered already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--model", "nobody:x"), 2, "is not among the backends"),
        (("--model", "hf:/no/such/folder"), 3, "no such model folder"),
        (("--tasks", "vqa-rat"), 2, "did you mean 'vqa_rad'?"),
        (("--tasks", "manifest:/no/where"), 3, "there is no such manifest"),
        (("-s", "sampling.temprature=1"), 2, "did you mean 'temperature'?"),
        (("-s", "limit=0"), 2, "greater than or equal to 1"),
        (("--shard", "3/3"), 2, "i of n"),
        (("-s", 'profiles=["stict"]'), 2, "did you mean 'strict'?"),
    ],
)
def test_wrong_words_are_named_without_a_traceback(
    toy, tmp_path, arguments, status, words, medevalkit
):
    fixed = {"--model": "oracle", "--tasks": f"manifest:{toy(2)}"}
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    both = [part for pair in {**fixed, **given}.items() for part in pair]
    ran = medevalkit("run", *both, "--out", tmp_path / "out")
    assert ran.returncode == status, ran.stderr
    assert words in ran.stderr and "Traceback" not in ran.stderr


def test_a_dry_run_asks_nothing(toy, tmp_path, medevalkit):
    ran = medevalkit(
        *("run", "--model", "openai:x", "--tasks", f"manifest:{toy(8, pictures=2)}"),
        *("--out", tmp_path / "out", "--dry-run"),
    )
    assert ran.returncode == 0, ran.stderr
    assert "2 open, 2 closed, 2 choice, 2 report" in ran.stdout
    assert "Answer with the option's letter" in ran.stdout
    assert not (tmp_path / "out").exists()


def test_the_card_of_a_benchmark(medevalkit):
    shown = medevalkit("tasks", "vqa-rad")
    assert "bcf91e7654fb9d51c8ab6a5b82cacf3fafd2fae9" in shown.stdout
    assert '"question": "Is there evidence' in shown.stdout


def test_no_folder_is_no_run(tmp_path, medevalkit):
    ran = medevalkit("score", tmp_path)
    assert ran.returncode == 3 and "it is no run of medevalkit" in ran.stderr


def test_grading_from_standard_input(medevalkit):
    rows = '{"gold": "no", "response": "No."}\n{broken\n{"gold": "yes", "response": "no"}\n'
    ran = medevalkit("grade", "--kind", "yesno", typed=rows)
    assert ran.returncode == 3
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [one.get("verdict") for one in found] == ["right", None, "wrong"]


def test_one_item_explained(toy, tmp_path, medevalkit):
    task = toy(4)
    out = tmp_path / "out"
    medevalkit("run", "--model", "constant", "--tasks", f"manifest:{task}", "--out", out)
    item = json.loads((out / "items" / "toy.jsonl").read_text().splitlines()[2])["id"]
    ran = medevalkit("score", out, "--explain", item)
    assert "strict            unparsed  parsed None by empty" in ran.stdout
    assert "official          right     parsed 'A' by likeness" in ran.stdout
    assert medevalkit("score", out, "--explain", "nothing").returncode == 2


def test_two_runs_compared(toy, tmp_path, medevalkit):
    task = toy(16)
    for model in ("oracle", "constant:B"):
        out = tmp_path / model[:2]
        ran = medevalkit("run", "--model", model, "--tasks", f"manifest:{task}", "--out", out)
        assert ran.returncode == 0, ran.stderr
    shown = medevalkit("compare", tmp_path / "or", tmp_path / "co")
    assert "oracle and constant:B" in shown.stdout and "Changed verdicts" in shown.stdout
    found = json.loads(
        medevalkit("compare", tmp_path / "or", tmp_path / "co", "--format", "json").stdout
    )
    assert found["rows"][0]["lost"] > 0 == found["rows"][0]["gained"]
