"""A command as a child: its status and memory, and that it never outlives its parent."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.process import Commands


def run_command(argv):
    with Commands() as commands:
        commands.start("it", argv)
        return commands.next()[1]


def until(condition, seconds=10.0):
    """Waits until something holds; fails where it does not come to hold."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("status", [0, 3])
def test_the_exit_status(status):
    result = run_command(["python", "-c", f"raise SystemExit({status})"])
    assert result.status == status and result.seconds > 0


def test_a_signal_is_a_negative_status():
    assert run_command(["python", "-c", "import os; os.kill(os.getpid(), 9)"]).status == -9


def test_memory_is_that_of_the_command():
    # Measured from a small process: what the parent holds counts until the command has begun.
    code = """
from lingshu_core.process import Commands
with Commands() as commands:
    for code in ("pass", "len(bytearray(300 << 20))"):
        commands.start(code, ["python", "-S", "-c", code])
        print(commands.next()[1].peak_mb)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    small, large = map(float, done.stdout.split())
    assert 2 < small < 100 and 300 < large < 360


def test_an_unknown_command():
    with pytest.raises(SettingsError, match="no command 'lingshu-dta'"):
        run_command(["lingshu-dta"])


def test_commands_of_this_environment_come_first(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "true").write_text(f"#!/bin/sh\ntouch {tmp_path}/ours\n")
    (tmp_path / "true").chmod(0o755)
    assert run_command(["true"]).status == 0 and (tmp_path / "ours").exists()


PARENT = """
import sys
from lingshu_core.process import Commands
with Commands() as commands:
    commands.start("it", sys.argv[1:])
    print("status", commands.next()[1].status, flush=True)
"""
CHILD = """
import os, signal, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
def stop(number, frame):
    open(sys.argv[1] + ".signal", "a").write(f"{number} ")
    sys.exit(4)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, stop)
open(sys.argv[1] + ".tmp", "w").write(f"{os.getpid()} {worker.pid}")
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
time.sleep(60)
"""


@pytest.fixture
def family(tmp_path):
    """A process that runs a command that runs a worker: the parent and the ids of the others."""
    file = tmp_path / "pids"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, "python", "-S", "-c", CHILD, str(file)],
        stdout=subprocess.PIPE,
        text=True,
    )
    until(file.exists)
    child, worker = map(int, file.read_text().split())
    yield parent, child, worker
    for pid in (parent.pid, child, worker):
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    parent.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_handed_on_once_and_to_all(family, tmp_path, number):
    parent, _, worker = family
    parent.send_signal(number)
    out, _ = parent.communicate(timeout=10)
    assert out == "status 4\n" and parent.returncode == 0
    assert (tmp_path / "pids.signal").read_text().split() == [str(int(number))]
    until(lambda: not alive(worker))


def test_a_killed_parent_takes_its_command_along(family, tmp_path):
    parent, child, _ = family
    parent.kill()
    until(lambda: not alive(child))
    assert (tmp_path / "pids.signal").read_text().split() == [str(int(signal.SIGTERM))]


def test_a_killed_command_leaves_no_worker(family):
    parent, child, worker = family
    os.kill(child, signal.SIGKILL)
    out, _ = parent.communicate(timeout=10)
    assert out == "status -9\n"
    until(lambda: not alive(worker))


def test_a_worker_can_ask_to_end_with_its_parent(tmp_path):
    code = """
import os, sys, time
from lingshu_core.process import die_with_parent
parent = os.getpid()
if os.fork() == 0:
    die_with_parent(parent)
    open(sys.argv[1] + ".tmp", "w").write(str(os.getpid()))
    os.rename(sys.argv[1] + ".tmp", sys.argv[1])
time.sleep(60)
"""
    file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", code, str(file)])
    until(file.exists)
    worker = int(file.read_text())
    parent.kill()
    parent.wait()
    until(lambda: not alive(worker))
