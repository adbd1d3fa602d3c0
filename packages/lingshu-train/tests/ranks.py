"""What a rank does in the tests with several: runs stages one after the other.

    torchrun --nproc-per-node 2 ranks.py JOBS.json

JOBS.json is a list of `{"out": folder, "stage": settings}`.
"""

import json
import sys
from pathlib import Path

import torch

from lingshu_train.quiet import quieten
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import joined


def main() -> None:
    torch.set_num_threads(1)
    quieten()
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with joined() as world:
        for job in jobs:
            run_stage(Stage.model_validate(job["stage"]), "t", Path(job["out"]), world)


if __name__ == "__main__":
    main()
