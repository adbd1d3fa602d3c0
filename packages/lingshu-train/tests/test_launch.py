"""What starts a run on several devices."""

import shlex
import subprocess
from pathlib import Path

from lingshu_train.launch import launch_text

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
