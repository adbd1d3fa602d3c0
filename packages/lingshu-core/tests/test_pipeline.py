"""`lingshu run`: steps run when they have to, are kept when they may, and are never lost."""

import json
import sys
import time
from pathlib import Path

import pytest

from lingshu_core import pipeline
from lingshu_core.errors import DataError, LingshuError, SettingsError, Stopped
from lingshu_core.pipeline import load_pipeline, run_pipeline
from lingshu_core.process import Commands, Result

WRITE = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
out.mkdir()
sources = [pathlib.Path(folder, "text") for folder in sys.argv[2].split("+") if folder]
text = "".join(source.read_text() for source in sources)
(out / "text").write_text(text + sys.argv[3])
(out / "stats.json").write_text(json.dumps({
    "title": "Wrote " + sys.argv[3], "package": "tests", "version": "0", "command": "write",
    "panels": [{"kind": "facts", "facts": {"letters": len(text) + 1}}],
}))
"""


def run_here(argv):
    """Runs a python step in this process: what the tests of the logic need, without its cost."""
    assert argv[0] == "python" and argv[1].endswith("write.py")
    before, sys.argv = sys.argv, list(argv[1:])
    try:
        exec(compile(Path(argv[1]).read_text(encoding="utf-8"), argv[1], "exec"), {})
    except SystemExit as end:
        return Result(end.code, 0.0, 1.0)
    finally:
        sys.argv = before
    return Result(0, 0.0, 1.0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with `write.py`, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "write.py").write_text(WRITE)
    return tmp_path


class Here(Commands):
    """Commands that are run in this process, by a function."""

    def __init__(self, run):
        super().__init__()
        self._run, self._ended = run, []

    def __len__(self):
        return len(self._ended)

    def start(self, name, argv, *, threads=None):
        self._ended.append((name, self._run(argv)))

    def next(self):
        return self._ended.pop(0)


def run_by(monkeypatch, run):
    monkeypatch.setattr(pipeline, "Commands", lambda: Here(run))


@pytest.fixture
def fast(monkeypatch):
    run_by(monkeypatch, run_here)


def recipe(folder, steps, **tables):
    """Writes a recipe; a step is its words after `python write.py {out}`."""
    lines = ['name = "small"', 'out = "runs/small"', 'title = "A small run"']
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    for name, words in steps.items():
        command = ["python", "{here}/write.py", "{out}", *words]
        lines += [f"[steps.{name}]", f"run = {json.dumps(command)}"]
    path = folder / "small.toml"
    path.write_text("\n".join(lines))
    return path


DIAMOND = {
    "start": ["", "{letter}"],
    "left": ["{start}", "l"],
    "right": ["{start}", "{other}"],
    "end": ["{left}+{right}", "e"],
}


@pytest.fixture
def diamond(here, fast):
    return recipe(here, DIAMOND, vars={"letter": "s", "other": "r"})


def steps(capsys):
    """Returns what the run said of each step, and forgets it."""
    told = capsys.readouterr().err.splitlines()
    found = [line.split(": ") for line in told if line.startswith("[")]
    return {name.split()[-1]: "kept" if "up to date" in what else "ran" for name, what in found}


def text(name):
    return Path("runs/small", name, "text").read_text(encoding="utf-8")


def test_all_steps_run_in_order(diamond, capsys):
    run_pipeline(diamond)
    assert list(steps(capsys).items()) == [(name, "ran") for name in DIAMOND]
    assert text("end") == "slsre"


def test_a_second_time_it_does_nothing_and_says_so(diamond, capsys):
    run_pipeline(diamond)
    page = Path("runs/small/index.html").stat().st_mtime_ns
    capsys.readouterr()
    run_pipeline(diamond)
    told = capsys.readouterr().err
    assert told.count("up to date") == 5 and "nothing to do, all 4 steps" in told
    assert "page: runs/small/index.html" in told
    assert Path("runs/small/index.html").stat().st_mtime_ns == page


def test_a_changed_setting_runs_what_depends_on_it(diamond, capsys):
    run_pipeline(diamond)
    capsys.readouterr()
    run_pipeline(diamond, ["other=R"])
    assert steps(capsys) == {"start": "kept", "left": "kept", "right": "ran", "end": "ran"}
    assert text("end") == "slsRe"
    run_pipeline(diamond, ["other=R"])
    assert set(steps(capsys).values()) == {"kept"}


def test_an_unchanged_output_stops_the_change(here, fast, capsys):
    steps_ = {"start": ["", "s", "{note}"], "end": ["{start}", "e"]}
    path = recipe(here, steps_, vars={"note": "said so"})
    run_pipeline(path)
    capsys.readouterr()
    run_pipeline(path, ["note=said otherwise"])
    assert steps(capsys) == {"start": "ran", "end": "kept"}


def test_a_changed_input_file_is_noticed(here, fast, capsys):
    (here / "data").mkdir()
    (here / "data" / "text").write_text("d")
    path = recipe(here, {"start": ["{data}", "s"]}, vars={"data": ""})
    for word in ("data", "./data", str(here / "data")):
        run_pipeline(path, [f"data={word}"])
        run_pipeline(path, [f"data={word}"])
        assert "kept" in steps(capsys).values()
        (here / "data" / "text").write_text("d" * (len(word) + 3))
        run_pipeline(path, [f"data={word}"])
        assert steps(capsys) == {"start": "ran"}


def test_a_setting_inside_a_word_is_an_input_too(here, fast, capsys):
    (here / "data.txt").write_text("a")
    path = recipe(here, {"start": ["", "data={data}"]}, vars={"data": "data.txt"})
    run_pipeline(path)
    (here / "data.txt").write_text("b")
    capsys.readouterr()
    run_pipeline(path)
    assert steps(capsys) == {"start": "ran"}


def test_a_file_called_like_a_verb_is_no_input(here):
    job = pipeline._Job(
        name="a",
        step=pipeline.Step(run=("x",)),
        argv=("lingshu", "run", "a=data"),
        out=Path("a"),
        depends=(),
    )
    keys = [pipeline._key(job, Path("runs"), {})]
    for name in ("run", "data"):
        (here / name).write_text("something")
        keys.append(pipeline._key(job, Path("runs"), {}))
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_an_output_that_was_touched_is_made_again(diamond, capsys, harm):
    run_pipeline(diamond)
    file = Path("runs/small/left/text")
    file.unlink() if harm == "removed" else file.write_text("x", encoding="utf-8")
    capsys.readouterr()
    run_pipeline(diamond)
    assert steps(capsys) == {"start": "kept", "left": "ran", "right": "kept", "end": "kept"}
    assert text("left") == "sl"


def test_a_dry_run_writes_nothing(diamond, capsys):
    run_pipeline(diamond, dry_run=True)
    assert list(steps(capsys).values()) == ["ran"] * 4 and not Path("runs").exists()
    run_pipeline(diamond)
    capsys.readouterr()
    run_pipeline(diamond, ["other=R"], dry_run=True)
    assert steps(capsys) == {"start": "kept", "left": "kept", "right": "ran", "end": "ran"}
    assert text("end") == "slsre"


def test_the_page_shows_every_step(diamond):
    run_pipeline(diamond, ["letter=<b>"])
    page = Path("runs/small/index.html").read_text(encoding="utf-8")
    assert "<h1>A small run</h1>" in page and "Wrote &lt;b&gt;" in page
    assert page.count("<section") == 4 and "python {here}/write.py" in page


def test_a_step_may_be_left_out_of_the_page_or_have_a_title(here, fast):
    path = recipe(here, {"start": ["", "s"], "end": ["", "e"]})
    command = ["python", "{here}/write.py", "{out}", "", "m"]
    with path.open("a", encoding="utf-8") as file:
        file.write(f'\ntitle = "The end"\n[steps.mid]\npage = false\nrun = {json.dumps(command)}')
    run_pipeline(path)
    page = Path("runs/small/index.html").read_text(encoding="utf-8")
    assert "The end" in page and "Wrote e" not in page and "Wrote m" not in page


def test_a_page_that_a_kill_left_old_is_written_again(diamond, monkeypatch, capsys):
    run_pipeline(diamond)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pipeline, "_write_page", killed)
        run_pipeline(diamond, ["other=R"])
    assert "Wrote R" not in Path("runs/small/index.html").read_text(encoding="utf-8")
    run_pipeline(diamond, ["other=R"])
    assert "Wrote R" in Path("runs/small/index.html").read_text(encoding="utf-8")
    assert "nothing to do" in capsys.readouterr().err


FAILING = WRITE + "raise SystemExit({status})\n"


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (1, LingshuError, 1), (2, LingshuError, 2), (3, LingshuError, 3), (4, Stopped, 4),
        (70, LingshuError, 1), (-15, Stopped, 4), (-2, Stopped, 4), (130, Stopped, 4),
        (-9, Stopped, 4), (-11, LingshuError, 1),
    ],
)  # fmt: skip
def test_a_failing_step_ends_the_run(here, fast, monkeypatch, status, error, code):
    path = recipe(here, {"start": ["", "s"], "bad": ["{start}", "b"], "end": ["{bad}", "e"]})

    def run(argv):
        result = run_here(argv)
        return Result(status, 0.0, 1.0) if "/bad" in argv[2] else result

    run_by(monkeypatch, run)
    with pytest.raises(error, match="'bad'") as caught:
        run_pipeline(path)
    assert caught.value.exit_code == code
    assert not Path("runs/small/end").exists()
    assert "Wrote s" in Path("runs/small/index.html").read_text(encoding="utf-8")


def test_a_failed_step_goes_on_where_it_was(here, fast, monkeypatch, capsys):
    path = recipe(here, {"start": ["", "s"], "bad": ["{start}", "b"]})
    (here / "runs").mkdir()
    seen = []

    def run(argv):
        out = Path(argv[2])
        seen.append(out.exists())
        if out.name == "bad" and not out.exists():
            out.mkdir()
            return Result(4, 0.0, 1.0)
        if out.name == "bad":
            out.rmdir()
        return run_here(argv)

    run_by(monkeypatch, run)
    with pytest.raises(Stopped):
        run_pipeline(path)
    run_pipeline(path)
    assert seen == [False, False, True] and text("bad") == "sb"


def test_what_was_begun_with_other_settings_is_begun_anew(here, fast, monkeypatch):
    path = recipe(here, {"bad": ["", "{letter}"]}, vars={"letter": "a"})

    def stop(argv):
        Path(argv[2]).mkdir()
        return Result(4, 0.0, 1.0)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        run_by(patch, stop)
        run_pipeline(path)
    run_pipeline(path, ["letter=b"])
    assert text("bad") == "b"


@pytest.mark.parametrize("late", [False, True])
def test_killed_while_it_removes_what_is_old(here, fast, monkeypatch, capsys, late):
    path = recipe(here, {"start": ["", "{letter}"]}, vars={"letter": "a"})
    run_pipeline(path)
    (here / "runs/small/start/more").write_text("a")

    def killed(folder):
        (folder / "more").unlink()
        raise KeyboardInterrupt

    words = ["letter=b"] if late else []
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pipeline, "remove_folder", killed)
        run_pipeline(path, words)
    capsys.readouterr()
    run_pipeline(path, words)
    assert steps(capsys) == {"start": "ran"} and text("start") == ("b" if late else "a")


def test_what_the_run_did_not_make_is_never_removed(here, fast):
    path = recipe(here, {"start": ["", "s"]})
    mine = here / "runs" / "small" / "start"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="was not made by this run"):
        run_pipeline(path)
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_a_step_has_to_write_its_folder(here, fast, monkeypatch):
    run_by(monkeypatch, lambda argv: Result(0, 0.0, 1.0))
    with pytest.raises(SettingsError, match="did not write runs/small/start"):
        run_pipeline(recipe(here, {"start": ["", "s"]}))


def test_an_output_that_is_broken_fails_the_step(here, fast, monkeypatch, make_manifest):
    def run(argv):
        make_manifest(Path(argv[2]))
        next(Path(argv[2]).glob("part-*")).unlink()
        return Result(0, 0.0, 1.0)

    run_by(monkeypatch, run)
    with pytest.raises(DataError, match="missing or was cut"):
        run_pipeline(recipe(here, {"start": ["", "s"]}))


@pytest.mark.parametrize(
    ("steps", "tables", "message"),
    [
        ({"a": ["{strat}", "x"], "start": ["", "s"]}, {}, "{strat} stands for nothing"),
        ({"start": ["", "s"], "a": ["{strat}", "x"]}, {}, "did you mean 'start'"),
        ({"a": ["{b}", "x"], "b": ["", "s"]}, {}, "stands for nothing"),
        ({"a": ["{a}", "x"]}, {}, "stands for nothing"),
        ({"a": ["{Data}", "x"]}, {"vars": {"data": "d"}}, "did you mean 'data'"),
        ({"a": ["{data}", "x"]}, {"vars": {"data": ""}}, "give --set data="),
        ({"out": ["", "s"]}, {}, "cannot name a step"),
        ({"A": ["", "s"]}, {}, "cannot name a step"),
        ({"a": ["", "s"]}, {"vars": {"a": 1}}, "cannot name a step"),
        ({"a": ["", "s"]}, {"vars": {"run": 1}}, "'run' cannot name a setting"),
        ({}, {}, "steps"),
        ({"a": ["", "s"]}, {"vars": {"x": [1]}}, "vars.x"),
        ({"a": ["", "s"]}, {"vras": {"x": 1}}, "did you mean 'vars'"),
    ],
)
def test_a_wrong_recipe(here, steps, tables, message):
    with pytest.raises(SettingsError) as caught:
        run_pipeline(recipe(here, steps, **tables))
    assert message in str(caught.value) and not (here / "runs").exists()


@pytest.mark.parametrize(
    "text", ["name = ", "vars = 3\nname='a'\nout='b'\n[steps.a]\nrun=['x']", ""]
)
def test_a_file_that_is_no_recipe(here, text):
    (here / "a.toml").write_text(text)
    with pytest.raises(SettingsError):
        load_pipeline(here / "a.toml", ["seed=1"])


def test_settings_by_the_command_line(here):
    path = recipe(here, {"a": ["", "{version}"]}, vars={"version": "1", "flag": True, "n": 2})
    found = load_pipeline(path, ["version=1.10", "out=elsewhere"])
    assert found.vars["version"] == "1.10" and found.out == "elsewhere"
    for word, message in (
        ("verson=1", "did you mean 'version'"),
        ("version", "not of the form"),
        ("steps.a.page=false", "no setting"),
    ):
        with pytest.raises(SettingsError, match=message):
            load_pipeline(path, [word])


def test_a_changed_seed_given_twice_is_the_same(diamond, capsys):
    run_pipeline(diamond, ["letter=s"])
    capsys.readouterr()
    run_pipeline(diamond)
    assert set(steps(capsys).values()) == {"kept"}


def test_two_runs_at_once(diamond, monkeypatch):
    def meanwhile(argv):
        with pytest.raises(SettingsError, match="another process is running runs/small"):
            run_pipeline(diamond)
        return run_here(argv)

    run_by(monkeypatch, meanwhile)
    run_pipeline(diamond)


BESIDE = """
import pathlib, sys, time
out = pathlib.Path(sys.argv[1])
out.mkdir()
(out / "text").write_text(sys.argv[3])
end = time.monotonic() + 20
while not (out.parent / sys.argv[4] / "text").exists():
    assert time.monotonic() < end, "was alone"
    time.sleep(0.01)
"""


def test_steps_at_the_same_time(here, capsys):
    # Each of the two waits for the other to begin: one after the other they would never end.
    (here / "write.py").write_text(BESIDE)
    path = recipe(here, {"left": ["", "l", "right"], "right": ["", "r", "left"]})
    run_pipeline(path, at_once=2)
    assert steps(capsys) == {"left": "ran", "right": "ran"}
    run_pipeline(path, at_once=2)
    assert steps(capsys) == {"left": "kept", "right": "kept"}


def test_a_failing_step_stops_those_beside_it(here):
    code = (
        "import os, sys, time; os.mkdir(sys.argv[1]); time.sleep(float(sys.argv[3])); sys.exit(3)"
    )
    (here / "write.py").write_text(code)
    path = recipe(here, {"slow": ["", "60"], "bad": ["", "0"]})
    started = time.monotonic()
    with pytest.raises(LingshuError, match="'bad' failed"):
        run_pipeline(path, at_once=2)
    assert time.monotonic() - started < 30


def test_a_step_waits_for_what_it_reads(diamond):
    run_pipeline(diamond, at_once=3)
    assert text("end") == "slsre"
