"""Runs that are killed, lose their workers or find the disk full go on and end as they should."""

import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from lingshu_core.digest import record_id
from lingshu_core.errors import Stopped
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import read_stats
from lingshu_core.records import Question, Source
from lingshu_data.curate import curate
from lingshu_data.settings import CurateSettings, Running

PRODUCER = Producer(package="tests", version="0", command="pytest", settings="0")
RECORDS = 3500
"""Four shards."""
STEPS = """
[[steps]]
operator = "boilerplate"
[[steps]]
operator = "text-dedup"
"""
PLUGIN = """
import os
import signal
from multiprocessing import parent_process

from lingshu_data.operator import Local, Operator, Policy

{at_once}

class Settings(Policy):
    word: str = ""

class Fatal(Local):
    def __init__(self, settings):
        self._word = settings.word

    def judge(self, item):
        if self._word in item.record.texts()[0].split():
            os.kill(os.getpid(), signal.SIGKILL)
        return item.record

OPERATOR = Operator("Dies at a word", Settings, Fatal)
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("texts") / "in"
    dice, said = random.Random(0), ""
    with ManifestWriter(out, producer=PRODUCER) as writer:
        for number in range(RECORDS):
            fresh = " ".join(f"word{dice.randrange(10**6)}" for _ in range(20))
            said = f"{said} again" if number % 20 == 19 else fresh
            writer.write(
                Question(
                    id=record_id("texts", str(number)),
                    source=Source(dataset="texts", licence="CC0-1.0"),
                    modality="text",
                    question=said + (" fatal" if number == 1234 else ""),
                    answer="yes",
                    answer_kind="closed",
                )
            )
    return out


@pytest.fixture(scope="module")
def calm(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run writes."""
    folder = tmp_path_factory.mktemp("calm")
    finish(start(texts, folder))
    return content(folder / "out")


def start(
    texts: Path,
    folder: Path,
    *more: str,
    steps: str = STEPS,
    before: Callable[[], object] | None = None,
) -> subprocess.Popen[str]:
    recipe = folder / "recipe.toml"
    recipe.write_text(steps, encoding="utf-8")
    command = [sys.executable, "-m", "lingshu_data", "curate", str(texts)]
    command += ["--recipe", str(recipe), "--out", str(folder / "out"), "--workers", "2", *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=before)


def finish(child: subprocess.Popen[str]) -> None:
    """Waits for a run that has to end well."""
    # Reading to the end also closes the pipe; one that is left open is a warning, so an error.
    said = child.communicate()[1]
    assert child.returncode == 0, said


def content(out: Path) -> dict[str, bytes]:
    """Returns the files of an output but for its headers, which hold the time."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def finished_shards(folder: Path) -> dict[str, int]:
    """Returns every finished shard of a run with its inode, which a second run would change."""
    found = folder.glob(".out.work/*/leg-0/[0-9]*")
    return {path.name: path.stat().st_ino for path in found}


@pytest.mark.slow
def test_a_run_killed_at_random_moments_goes_on_and_ends_with_the_same_bytes(texts, calm, tmp_path):
    dice = random.Random(0)
    known: dict[str, int] = {}
    for _ in range(3):
        child = start(texts, tmp_path)
        while child.poll() is None and not list(tmp_path.glob(".out.work/*")):
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 1.0))
        child.kill()
        child.communicate()
        if (tmp_path / "out").exists():
            break
        # What was finished before is not done again.
        now = finished_shards(tmp_path)
        assert known.items() <= now.items()
        known = now
        assert not (tmp_path / ".out.partial" / "manifest.json").exists()
    finish(start(texts, tmp_path))
    assert content(tmp_path / "out") == calm
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
@pytest.mark.parametrize("limit", [20_000, 300_000])
def test_a_full_disk_is_said_and_leaves_nothing_that_looks_finished(texts, calm, tmp_path, limit):
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    child = start(texts, tmp_path, before=small)
    said = child.communicate()[1]
    assert child.returncode == 4, said
    assert "the disk is full" in said and "out" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("manifest.json"))
    finish(start(texts, tmp_path))
    assert content(tmp_path / "out") == calm


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_record_at_which_workers_die_is_set_aside_and_the_others_stay(texts, tmp_path, engine):
    # Not imported here: what our own code sets, Ray reads at its import.
    if engine == "ray" and find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    plugin = tmp_path / "fatal.py"
    plugin.write_text(PLUGIN.format(at_once=""), encoding="utf-8")
    steps = f'[[steps]]\noperator = "{plugin}:OPERATOR"\nword = "fatal"\n'
    finish(start(texts, tmp_path, "--engine", engine, steps=steps))
    counts = read_stats(tmp_path / "out").counts
    assert (counts["kept"], counts["set_aside"], counts["in"]) == (RECORDS - 1, 1, RECORDS)
    aside = (tmp_path / "out" / "set-aside.jsonl").read_text(encoding="utf-8")
    assert "kills the process that reads it" in aside and "fatal" in aside


@pytest.mark.slow
def test_workers_that_die_before_they_begin_stop_the_run_which_can_go_on(texts, tmp_path, capsys):
    plugin = tmp_path / "fatal.py"
    dying = "if parent_process(): os.kill(os.getpid(), signal.SIGKILL)"
    plugin.write_text(PLUGIN.format(at_once=dying), encoding="utf-8")
    steps = ({"operator": f"{plugin}:OPERATOR", "word": "none of these"},)
    with pytest.raises(Stopped, match="die before they take up a shard"):
        curate([texts], tmp_path / "out", CurateSettings(steps=steps), Running(workers=2))
    assert not (tmp_path / "out").exists()
    plugin.write_text(PLUGIN.format(at_once=""), encoding="utf-8")
    curate([texts], tmp_path / "out", CurateSettings(steps=steps), Running(workers=2))
    assert read_stats(tmp_path / "out").counts["kept"] == RECORDS


@pytest.mark.slow
def test_interrupting_by_the_keyboard_ends_with_what_to_do(texts, tmp_path):
    # A shell that starts a job in the background lets it ignore the keyboard.
    child = start(texts, tmp_path, before=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while not finished_shards(tmp_path):
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    said = child.communicate()[1]
    assert child.returncode == 4 and "goes on from here" in said, said
    assert not (tmp_path / "out").exists() and finished_shards(tmp_path)
