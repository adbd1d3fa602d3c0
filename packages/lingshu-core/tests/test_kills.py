"""Writers killed with SIGKILL at random moments, two at once, and a full disk."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from lingshu_core.conversion import convert_from, convert_to
from lingshu_core.files import partial_folder
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.selection import merge, split
from lingshu_core.validation import validate

ACCOUNTS = {"stats.json", "index.html", "plotly.min.js"}
COMMANDS = {
    "merge": "manifest merge {one} {two} --out {out}",
    "split": "manifest split {one} --out {out} --share a=0.7 --share b=0.3",
    "to-llava": "manifest convert {one} --to llava --out {out}",
    "from-llava": "manifest convert {llava} --from llava --out {out}",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, make_manifest):
    """Two manifests with pictures, and the first of them as LLaVA has it."""
    folder = tmp_path_factory.mktemp("inputs")
    make_manifest(folder / "one", range(60))
    make_manifest(folder / "two", range(60, 120))
    convert_to(folder / "one", folder / "llava", "llava")
    paths = {name: folder / name for name in ("one", "two")}
    return {**paths, "llava": folder / "llava" / "data.json"}


def work(name, inputs, out):
    """Does what the command of that name does, in this process."""
    if name == "merge":
        merge([Manifest(inputs["one"]), Manifest(inputs["two"])], out)
    elif name == "split":
        split(Manifest(inputs["one"]), out, {"a": 0.7, "b": 0.3})
    elif name == "to-llava":
        convert_to(inputs["one"], out, "llava")
    else:
        convert_from(
            inputs["llava"], out, "llava", images=None, dataset="imported", licence="unknown"
        )


def tree(folder):
    """Every file with its bytes, without what tells of times."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.name == "manifest.json":
            found[name] = json.loads(path.read_bytes()) | {"created": ""}
        elif path.is_file() and path.name not in ACCOUNTS:
            found[name] = path.read_bytes()
    return found


def assert_nothing_looks_finished_and_is_not(out, whole):
    """`out` is whole or not there, and so is every folder with a header beside it."""
    if out.exists():
        assert tree(out) == whole
    assert {path.name for path in out.parent.iterdir()} <= {out.name, partial_folder(out).name}
    for header in out.parent.rglob("manifest.json"):
        assert validate(Manifest(header.parent), deep=True).faults == []


def kill_again_and_again(start, out, whole, seconds, kills, seed):
    """Starts a process and kills it, many times; returns how often it had not finished yet.

    Where it had, the next is given less time: the machine may have become faster meanwhile.
    """
    moments, hits = random.Random(seed), 0
    for _ in range(kills):
        pid = start()
        time.sleep(moments.uniform(0, seconds))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        in_time = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        hits, seconds = hits + in_time, seconds * (1 if in_time else 0.8)
        assert_nothing_looks_finished_and_is_not(out, whole)
        if out.exists():
            shutil.rmtree(out)
    return hits


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_moment(tmp_path, inputs, name):
    begin = time.monotonic()
    work(name, inputs, tmp_path / "whole" / "out")
    seconds = time.monotonic() - begin
    out, whole = tmp_path / "killed" / "out", tree(tmp_path / "whole" / "out")
    out.parent.mkdir()

    def start():
        child = os.fork()
        if child == 0:
            work(name, inputs, out)
            os._exit(0)
        return child

    hits = kill_again_and_again(start, out, whole, seconds * 1.2, 6, seed=name)
    assert hits >= 3
    work(name, inputs, out)
    assert tree(out) == whole
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_killed_at_forty_moments(tmp_path, inputs, name, lingshu):
    def command(out):
        words = [word.format(**inputs, out=out) for word in COMMANDS[name].split()]
        return [sys.executable, "-m", "lingshu_core", *words]

    begin = time.monotonic()
    subprocess.run(command(tmp_path / "whole" / "out"), check=True, capture_output=True)
    seconds = time.monotonic() - begin
    out, whole = tmp_path / "killed" / "out", tree(tmp_path / "whole" / "out")
    out.parent.mkdir()

    def start():
        silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        return os.posix_spawn(sys.executable, command(out), os.environ, file_actions=silent)

    assert kill_again_and_again(start, out, whole, seconds * 1.1, 40, seed=name) >= 10
    done = lingshu(*command(out)[3:])
    assert done.returncode == 0, done.stderr
    assert tree(out) == whole


def test_two_runs_give_the_same_bytes(tmp_path, inputs):
    for name in COMMANDS:
        for run in ("first", "second"):
            work(name, inputs, tmp_path / run / name)
        assert tree(tmp_path / "first" / name) == tree(tmp_path / "second" / name) != {}


@pytest.mark.parametrize("name", COMMANDS)
def test_two_processes_on_one_output(tmp_path, inputs, lingshu, name, producer):
    out = tmp_path / "out"
    words = [word.format(**inputs, out=out) for word in COMMANDS[name].split()]
    with ManifestWriter(out, producer=producer):
        second = lingshu(*words)
        assert second.returncode == 2
        assert second.stderr == f"error: another process is writing {out}: wait for it\n"
    assert is_finished(out) and len(Manifest(out)) == 0


def assert_stopped_and_resumed(words, out, first, again):
    assert first.returncode == 4, first.stderr
    assert "the disk is full" in first.stderr and "Traceback" not in first.stderr
    assert not out.exists()
    done = again(*words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name", ["merge", *(pytest.param(n, marks=pytest.mark.slow) for n in list(COMMANDS)[1:])]
)
def test_a_file_that_may_grow_no_further(tmp_path, inputs, lingshu, name):
    """What a quota does; the limit is one on the size of files."""
    out = tmp_path / "out"
    words = [word.format(**inputs, out=out) for word in COMMANDS[name].split()]
    first = subprocess.run(
        [sys.executable, "-m", "lingshu_core", *words],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000)),
    )
    assert_stopped_and_resumed(words, out, first, lingshu)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB; skipped where this process may not make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk(inputs, lingshu, small_disk):
    out = small_disk / "out"
    words = [word.format(**inputs, out=out) for word in COMMANDS["merge"].split()]

    def with_more_room(*words):
        subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
        return lingshu(*words)

    first = lingshu(*words)
    assert list(small_disk.iterdir()) == []
    assert_stopped_and_resumed(words, out, first, with_more_room)
    assert validate(Manifest(out), deep=True).faults == []
