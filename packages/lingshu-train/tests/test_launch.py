"""What starts a run on several devices."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lingshu_core.checkpoint import read_checkpoint
from lingshu_train.launch import launch_text
from lingshu_train.metrics import read_notes

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


def test_torchrun_on_one_machine_is_a_command() -> None:
    words = shlex.split(launch_text("torchrun", RUN, devices=8, nodes=1, name="x"))
    assert words[:4] == ["torchrun", "--standalone", "--nproc-per-node", "8"]
    assert words[4:] == ["-m", "lingshu_train", *RUN]


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
