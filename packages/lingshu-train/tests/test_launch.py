"""What starts a run on several devices."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lingshu_core.checkpoint import is_checkpoint, read_checkpoint
from lingshu_train.launch import launch_text
from lingshu_train.metrics import read_notes
from lingshu_train.state import kept_steps

RECIPE = """
stage = "deep"
parent = "{parent}"
mixture = "{mixture}"
dtype = "float32"
[rates]
vision = 1e-3
[batch]
accumulation = 4
[sequence]
max_length = 512
[engine]
zero = 2
checkpointing = false
[data]
workers = 0
"""
RUN = ["run", "lingshu-7b/deep", "--set", "mixture=data/a b", "--out", "it's"]


def told(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


def slurm_answers() -> bool:
    """Says whether there is a Slurm with two machines that have a GPU each."""
    if not shutil.which("sbatch"):
        return False
    asked = ["sinfo", "-h", "-N", "-o", "%G"]
    found = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return found.stdout.count("gpu:") >= 2


def wait(what: str, done: Callable[[], bool], log: Path) -> None:
    """Waits two minutes at most; what the job has said is shown where that is not enough."""
    until = time.monotonic() + 120
    while not done():
        said = log.read_text(encoding="utf-8") if log.exists() else ""
        assert time.monotonic() < until, f"{what}: {said[-3000:]}"
        time.sleep(0.2)


def test_torchrun_on_one_machine_is_a_command() -> None:
    words = shlex.split(launch_text("torchrun", RUN, devices=8, nodes=1, name="x"))
    assert words[:4] == ["torchrun", "--standalone", "--nproc-per-node", "8"]
    assert words[4:] == ["--shutdown-timeout", "600", "-m", "lingshu_train", *RUN]


def test_torchrun_on_several_names_the_meeting_point() -> None:
    text = launch_text("torchrun", RUN, devices=8, nodes=4, name="x")
    command = shlex.split("\n".join(line for line in text.splitlines() if line[0] != "#"))
    assert command[1:5] == ["--nnodes", "4", "--nproc-per-node", "8"]
    assert "HOST:29400" in command and command[-len(RUN) :] == RUN


def test_the_batch_script_gives_every_rank_its_place(tmp_path: Path) -> None:
    """Runs the script with stand-ins for Slurm's commands and for Python."""
    script = tmp_path / "job.sh"
    script.write_text(launch_text("slurm", RUN, devices=2, nodes=1, name="x"), encoding="utf-8")
    tools = {
        "scontrol": 'if [ "$1" = requeue ]; then echo "requeued $2"; else echo first; fi',
        "srun": "for i in 0 1; do SLURM_PROCID=$i SLURM_LOCALID=$i SLURM_NTASKS=2 "
        'bash -c "${@: -1}"; done; exit 4',
        "python": 'echo "rank $RANK of $WORLD_SIZE at $MASTER_ADDR: $*"',
    }
    for name, body in tools.items():
        tool = tmp_path / name
        tool.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        tool.chmod(0o755)
    run = subprocess.run(
        ["bash", str(script)],
        capture_output=True, text=True, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "77", "SLURM_JOB_NODELIST": "a"},
    )  # fmt: skip
    asked = "-m lingshu_train run lingshu-7b/deep --set mixture=data/a b --out it's"
    assert run.stdout.splitlines() == [
        f"rank 0 of 2 at first: {asked}", f"rank 1 of 2 at first: {asked}", "requeued 77",
    ]  # fmt: skip
    assert run.returncode == 4
    assert "#SBATCH --signal=TERM@600" in script.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_machines_make_one_run(tmp_path: Path, base: Path, mixture: Path) -> None:
    """The command as it is printed, given on two machines that are both this one."""
    recipe, out = tmp_path / "tiny.toml", tmp_path / "out"
    recipe.write_text(RECIPE.format(parent=base, mixture=mixture), encoding="utf-8")
    words = ["run", str(recipe), "--out", str(out)]
    text = launch_text("torchrun", words, devices=1, nodes=2, name="x")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        text = text.replace("HOST:29400", f"localhost:{free.getsockname()[1]}")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    machines = [
        subprocess.Popen(["bash", "-c", text], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [machine.communicate(timeout=380)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said[0][-3000:] + said[1][-3000:]
    assert read_checkpoint(out).samples == 40
    steps, _ = read_notes(out)
    assert [note.samples for note in steps] == [8] * 5


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_torchrun_lets_ranks_that_are_told_to_stop_keep_a_checkpoint(
    tmp_path: Path, base: Path, mixture: Path
) -> None:
    """The command as it is printed; the signal goes to torchrun, as a scheduler sends it."""
    recipe, out, log = tmp_path / "tiny.toml", tmp_path / "out", tmp_path / "log"
    recipe.write_text(RECIPE.format(parent=base, mixture=mixture), encoding="utf-8")
    words = ["run", str(recipe), "--out", str(out), "--set", "epochs=12"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    command = shlex.split(launch_text("torchrun", words, devices=2, nodes=1, name="x"))
    ends = []
    for number in range(2):
        with log.open("w", encoding="utf-8") as said:
            running = subprocess.Popen(command, env=environment, stderr=said)
            if number == 0:
                wait("no step", lambda: len(read_notes(out)[0]) > 2, log)
                running.terminate()
            ends.append(running.wait(timeout=180))
        if number == 0:
            stopped = kept_steps(out / "state")[-1]
            assert f"stopped after step {stopped};" in log.read_text(encoding="utf-8")
    assert ends[0] != 0 and ends[1] == 0, log.read_text(encoding="utf-8")[-3000:]
    assert 2 < stopped < 60
    assert f"going on after step {stopped} of 60" in log.read_text(encoding="utf-8")
    assert [note.samples for note in read_notes(out)[0]] == [8] * 60


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_slurm_starts_it_on_two_machines_and_again_after_its_time_is_up(
    tmp_path: Path, base: Path, mixture: Path
) -> None:
    """The script as it is printed, given to a Slurm; skipped where none answers with two GPUs."""
    if not slurm_answers():
        pytest.skip("needs Slurm with two machines that have a GPU each")
    recipe, out, script = tmp_path / "tiny.toml", tmp_path / "out", tmp_path / "job.sh"
    recipe.write_text(RECIPE.format(parent=base, mixture=mixture), encoding="utf-8")
    words = ["run", str(recipe), "--out", str(out), "--set", "epochs=12"]
    script.write_text(launch_text("slurm", words, devices=1, nodes=2, name="x"), encoding="utf-8")
    log, path = tmp_path / "log", f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # Some sites export so little of themselves.
    export = f"--export=PATH={path},DS_ACCELERATOR=cpu,PYTHONUNBUFFERED=1"
    job = told("sbatch", "--parsable", "--mem=0", f"--output={log}", export, str(script)).strip()
    try:
        wait("no step", lambda: len(read_notes(out)[0]) > 2, log)
        # As Slurm does ten minutes before the end.
        told("scancel", "--signal=TERM", job)
        wait("not put back", lambda: "PENDING" in told("squeue", "-h", "-j", job, "-o", "%T"), log)
        stopped = len(read_notes(out)[0])
        told("scontrol", "update", f"JobId={job}", "StartTime=now")  # it would wait two minutes
        wait("no end", lambda: is_checkpoint(out), log)
    finally:
        subprocess.run(["scancel", job], check=False)
    assert 2 < stopped < 60 and f"going on after step {stopped} of 60" in log.read_text(
        encoding="utf-8"
    )
    assert read_checkpoint(out).samples == 12 * 40
    assert [note.samples for note in read_notes(out)[0]] == [8] * 60
