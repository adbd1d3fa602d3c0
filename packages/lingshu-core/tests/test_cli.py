"""The command `lingshu`: what it prints, what it refuses, and that it is light."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [
    (),
    ("run",),
    ("manifest",),
    ("manifest", "show"),
    ("manifest", "validate"),
    ("manifest", "schema"),
    ("manifest", "merge"),
    ("manifest", "split"),
    ("manifest", "convert"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_with_an_example(lingshu, words):
    done = lingshu(*words, "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: lingshu")
    assert done.stdout == lingshu(*words, "-h").stdout
    if words not in ((), ("manifest",)):
        assert f"Example: `lingshu {' '.join(words)} " in done.stdout


def test_as_a_module_and_as_a_script():
    script = Path(sys.executable).parent / "lingshu"
    for command in ([sys.executable, "-m", "lingshu_core"], [script]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("lingshu-core ")


def test_show(lingshu, manifest):
    done = lingshu("manifest", "show", manifest, "-n", "1")
    assert done.returncode == 0 and json.loads(done.stdout)["id"] == "tiny/0000"
    assert "4 records, digest " in done.stderr and "made by tests (tests 0)" in done.stderr
    one = lingshu("manifest", "show", manifest, "--id", "tiny/0002")
    assert json.loads(one.stdout)["id"] == "tiny/0002" and one.stderr == ""
    assert lingshu("manifest", "show", manifest, "-n", "0").stdout == ""
    assert lingshu("manifest", "show", manifest / "part-00000.jsonl").returncode == 0


def test_validate(lingshu, manifest):
    done = lingshu("manifest", "validate", manifest, "--deep")
    assert done.returncode == 0 and done.stdout == f"{manifest}: 4 records, all good\n"
    assert done.stderr.splitlines() == ["type: question 4", "modality: xray 4", "dataset: tiny 4"]


def test_validate_with_pictures_elsewhere(lingshu, manifest, tmp_path):
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes((manifest / "part-00000.jsonl").read_bytes())
    assert lingshu("manifest", "validate", plain).returncode == 3
    assert lingshu("manifest", "validate", plain, "--root", manifest).returncode == 0


def test_schema(lingshu):
    assert "discriminator" in json.loads(lingshu("manifest", "schema").stdout)
    assert json.loads(lingshu("manifest", "schema", "report").stdout)["title"] == "Report"
    assert json.loads(lingshu("manifest", "schema", "manifest").stdout)["title"] == "Header"


def test_merge_split_and_convert(lingshu, manifest, tmp_path, lines, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("--share", "train=0.5", "--share", "test=0.5")
    done = lingshu("manifest", "split", "four", "--out", "parts", *words, "--seed", 3)
    assert done.returncode == 0 and "parts/train: " in done.stdout
    assert lingshu("manifest", "merge", "parts/test", "parts/train", "-o", "all").returncode == 0
    assert sorted(lines("all")) == sorted(lines("four"))
    done = lingshu("manifest", "convert", "four", "--to", "llava", "--out", "llava")
    assert done.returncode == 0 and done.stdout == "llava: 4 records\n"
    back = ("--from", "llava", "--out", "back", "--dataset", "mine", "--licence", "MIT")
    assert lingshu("manifest", "convert", "llava/data.json", *back).returncode == 0
    assert json.loads(lines("back")[0])["source"]["licence"] == "MIT"
    for folder in ("parts", "all", "llava", "back"):
        for name in ("stats.json", "index.html", "settings.json"):
            assert Path(folder, name).is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("manifset",), "manifest"),
        (("manifest", "vaildate"), "Did you mean 'validate'?"),
        (("manifest", "validate", "four", "--depe"), "--deep"),
        (("manifest", "validate"), "Missing argument"),
        (("manifest", "show", "four", "-n", "-1"), "Invalid value for '-n'"),
        (("manifest", "show", "four", "--id", "tiny/9"), "holds no record 'tiny/9'"),
        (("manifest", "schema", "qestion"), "did you mean 'question'?"),
        (("manifest", "merge", "four"), "Missing option"),
        (("manifest", "merge", "four", "--out", "taken"), "exists already"),
        (("manifest", "merge", "four", "--out", "taken/a/b"), "Not a directory"),
        (("manifest", "split", "four", "--out", "o", "--share", "train"), "like train=0.8"),
        (("manifest", "split", "four", "--out", "o", "--share", "a=x"), "like train=0.8"),
        (("manifest", "split", "four", "--out", "o", "--share", "a=0.5"), "add up to 1"),
        (("manifest", "split", "four", "--out", "o", "--share", "a=1", "--share", "a=1"), "twice"),
        (("manifest", "convert", "four", "--out", "o"), "--to FORMAT or --from FORMAT"),
        (("manifest", "convert", "four", "--out", "o", "--to", "lava"), "did you mean 'llava'?"),
        (("manifest", "convert", "four", "--out", "o", "--from", "llava", "--dataset", "A B"),
         "dataset"),
        (("run", "none.toml"), "none.toml"),
        (("run", "a.toml", "--set", "sead=1"), "did you mean 'seed'?"),
        (("run", "a.toml"), "{dta} stands for nothing; did you mean 'data'?"),
    ],
)  # fmt: skip
def test_wrong_words_exit_2(lingshu, manifest, monkeypatch, words, message):
    monkeypatch.chdir(manifest.parent)
    Path("taken").write_text("mine", encoding="utf-8")
    recipe = 'name="a"\nout="run"\n[vars]\nseed=1\ndata="x"\n[steps.a]\nrun=["true", "{dta}"]\n'
    Path("a.toml").write_text(recipe, encoding="utf-8")
    done = lingshu(*words)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["a.toml", "four", "taken"]


def test_a_reader_that_has_seen_enough(make_manifest, tmp_path):
    folder = make_manifest(tmp_path / "many", range(300), pictures=False)
    command = f"{sys.executable} -m lingshu_core manifest show {folder} -n 300 | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "{\n" and "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(lingshu, manifest, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = lingshu("manifest", "merge", manifest, "--out", tmp_path / "locked" / "out")
    assert done.returncode == 2 and "Permission denied" in done.stderr
