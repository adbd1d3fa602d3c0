"""`lingshu run` for real: recipes of real commands, real kills, and what is left of them."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

SLOW = """
import os, pathlib, sys, time
out = pathlib.Path(sys.argv[1])
out.mkdir(exist_ok=True)
for number in range(len(list(out.iterdir())), 3):
    (out / f"{number}.tmp").write_text(str(os.getpid()))
    (out / f"{number}.tmp").rename(out / str(number))
    if number == int(sys.argv[2]) and not pathlib.Path("go").exists():
        time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with `slow.py` in it, which waits until there is a file `go`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    return tmp_path


@pytest.mark.slow
def test_a_recipe_of_real_commands(folder, lingshu, manifest):
    (folder / "a.toml").write_text("""
name = "real"
out = "runs/real"
[vars]
data = ""
[steps.parts]
run = ["lingshu", "manifest", "split", "{data}", "--out", "{out}", "--share", "a=0.5",
       "--share", "b=0.5"]
[steps.all]
run = ["lingshu", "manifest", "merge", "{parts}/a", "{parts}/b", "--out", "{out}"]
""")
    words = ("run", "a.toml", "--set", f"data={manifest}")
    done = lingshu(*words)
    assert done.returncode == 0, done.stderr
    assert "[2/2] all: lingshu manifest merge runs/real/parts/a" in done.stderr
    assert lingshu("manifest", "validate", "runs/real/all").returncode == 0
    page = (folder / "runs/real/index.html").read_text()
    assert "2 manifests merged" in page and "A manifest in 2 parts" in page
    again = lingshu(*words)
    assert again.returncode == 0 and "nothing to do, all 2 steps are up to date" in again.stderr


SMALL = """
name = "small"
out = "runs/small"
[steps.first]
run = ["python", "-S", "slow.py", "{out}", "9"]
[steps.slow]
run = ["python", "-S", "slow.py", "{out}", "1", "{first}"]
[steps.last]
run = ["python", "-S", "slow.py", "{out}", "9", "{slow}"]
"""


@pytest.fixture
def started(folder):
    """A run that waits in its second step: its process, and the id of the step's."""
    (folder / "small.toml").write_text(SMALL)
    parent = subprocess.Popen(
        [sys.executable, "-m", "lingshu_core", "run", "small.toml"],
        stderr=subprocess.PIPE,
        text=True,
    )
    path, end = folder / "runs/small/slow/1", time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, "the step does not begin"
        time.sleep(0.01)
    child = int(path.read_text())
    yield parent, child
    for pid in (parent.pid, child):
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
    parent.communicate()


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("victim", ["parent", "child"])
def test_killed_and_resumed(started, folder, lingshu, victim):
    parent, child = started
    os.kill(parent.pid if victim == "parent" else child, signal.SIGKILL)
    _, told = parent.communicate(timeout=10)
    assert parent.returncode == (-9 if victim == "parent" else 4)
    if victim == "child":
        assert "'slow' was killed" in told and "Traceback" not in told
    end = time.monotonic() + 10
    while not gone(child):
        assert time.monotonic() < end, "the step outlives the run"
        time.sleep(0.01)
    assert not (folder / "runs/small/last").exists()
    (folder / "go").touch()
    again = lingshu("run", "small.toml")
    assert again.returncode == 0, again.stderr
    assert "[1/3] first: up to date" in again.stderr
    writers = [int((folder / f"runs/small/slow/{n}").read_text()) for n in range(3)]
    assert writers[:2] == [child, child] and writers[2] != child


def test_a_second_run_waits_and_the_first_is_stopped_by_hand(started, lingshu):
    parent, child = started
    second = lingshu("run", "small.toml")
    assert second.returncode == 2
    assert second.stderr == "error: another process is running runs/small: wait for it\n"
    parent.send_signal(signal.SIGINT)
    _, told = parent.communicate(timeout=10)
    assert parent.returncode == 4 and "the same command goes on there" in told
    assert gone(child)
