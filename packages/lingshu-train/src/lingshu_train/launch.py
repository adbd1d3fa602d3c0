"""How a run is started on several devices and machines: a command, or a batch script."""

import shlex
from collections.abc import Sequence
from typing import Literal

Launcher = Literal["torchrun", "slurm"]


def launch_text(
    launcher: Launcher, arguments: Sequence[str], *, devices: int, nodes: int, name: str
) -> str:
    """Returns what starts a run.

    Args:
        launcher: `torchrun` gives a command for a shell, `slurm` a script for `sbatch`.
        arguments: Of `lingshu-train`: `run`, the recipe, and the options.
        devices: On each machine.
        nodes: Machines.
        name: Of the job.
    """
    command = shlex.join(["-m", "lingshu_train", *arguments])
    if launcher == "torchrun":
        return _torchrun(command, devices, nodes)
    return _slurm(command, devices, nodes, name)


def _torchrun(command: str, devices: int, nodes: int) -> str:
    # Ranks that are told to stop finish their step and keep a checkpoint: the 30 seconds that
    # torchrun gives them of itself are too few for a large one.
    wait = "--shutdown-timeout 600"
    if nodes == 1:
        return f"torchrun --standalone --nproc-per-node {devices} {wait} {command}"
    return "\n".join([
        f"# On each of the {nodes} machines, HOST being the name of the first; all of them see the",
        "# same folders. SIGTERM keeps a checkpoint; the same command goes on from it.",
        f"torchrun --nnodes {nodes} --nproc-per-node {devices} {wait} \\",
        f"  --rdzv-backend c10d --rdzv-endpoint HOST:29400 --rdzv-id lingshu {command}",
    ])  # fmt: skip


def _slurm(command: str, devices: int, nodes: int, name: str) -> str:
    return f"""\
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node={devices}
#SBATCH --gpus-per-node={devices}
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# Ten minutes before the time is up every rank is told, keeps a checkpoint and ends with status 4.
#SBATCH --signal=TERM@600
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
export MASTER_ADDR MASTER_PORT OMP_NUM_THREADS=8
# Where sbatch was told what to export, srun would pass on that and nothing of the lines above.
srun --export=ALL --kill-on-bad-exit=0 --wait=120 bash -c '
  export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID WORLD_SIZE=$SLURM_NTASKS
  exec python {command.replace("'", "'" + chr(34) + "'" + chr(34) + "'")}'
status=$?
if [ $status -eq 4 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit $status
"""
