"""Any number of workers, and a run divided into shares, write the same bytes and ledger."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

STEPS = """
[[steps]]
operator = "picture-filter"
[[steps]]
operator = "picture-dedup"
[[steps]]
operator = "picture-filter"
least_side = 66
"""


@pytest.fixture
def manifests(tmp_path, build, pictures) -> list[Path]:
    """Three manifests, so at least three shards, that share pictures."""
    noise, png = pictures
    for part in range(3):
        toy = build(f"in-{part}")
        for number in range(8):
            dataset = f"toy-{part}"
            toy.imaging(png(noise(part * 5 + number)), dataset=dataset)
        toy.imaging(png(noise(90, 30, 40)), dataset=f"toy-{part}")
        toy.close()
    return [tmp_path / f"in-{part}" for part in range(3)]


def curate(manifests: list[Path], recipe: Path, out: Path, *more: str) -> dict[str, bytes]:
    """Runs the command as a user would and returns the files that it writes, once it has."""
    command = [sys.executable, "-m", "lingshu_data", "curate", *map(str, manifests)]
    command += ["--recipe", str(recipe), "--out", str(out), *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in {0, 4}, done.stderr
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_workers_and_shares_write_the_same_bytes(manifests, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(STEPS, encoding="utf-8")
    one = curate(manifests, recipe, tmp_path / "one")
    assert len(one) > 20
    two = curate(manifests, recipe, tmp_path / "two", "--workers", "2")
    # The second leg of the first share has to wait for the first leg of the second.
    shared = {}
    for share in ("0/2", "1/2", "0/2"):
        assert not shared
        shared = curate(manifests, recipe, tmp_path / "shared", "--shard", share)
    assert one == two == shared


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_ray_cluster_writes_the_same_bytes(manifests, tmp_path):
    # Not imported here: what our own code sets, Ray reads at its import.
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(STEPS, encoding="utf-8")
    one = curate(manifests, recipe, tmp_path / "one")
    there = curate(manifests, recipe, tmp_path / "ray", "--engine", "ray", "--workers", "2")
    assert len(one) > 20 and there == one


ON_GPUS = """
import os
from pathlib import Path
from types import SimpleNamespace

# Ray reads this at its import: under `uv run` it would pack the working folder.
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
import ray

from lingshu_data.engine import ENGINES


class Task:
    def __init__(self, uses_model):
        self.uses_model = uses_model

    def __call__(self, job):
        import time

        time.sleep(0.2)
        ids = ray.get_runtime_context().get_accelerator_ids()["GPU"]
        Path(f"{self.uses_model}-{job.number}").write_text(",".join(ids))


engine = ENGINES.get("ray")
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
ray.init(num_cpus=4, num_gpus=2, include_dashboard=False)
jobs = [SimpleNamespace(number=number, avoid=frozenset()) for number in range(8)]
for uses_model, workers in ((True, 2), (True, 3), (False, 2)):
    done = sorted(engine.run(Task(uses_model), iter(jobs), workers))
    assert done == list(range(8)), done
    ids = {Path(f"{uses_model}-{number}").read_text() for number in range(8)}
    print(uses_model, workers, sorted(ids))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_actors_with_a_model_share_the_gpus_of_the_cluster(tmp_path):
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    # What a machine has is what Ray is told: no GPU is touched.
    command = [sys.executable, "-c", ON_GPUS]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [
        "True 2 ['0', '1']",
        "True 3 ['0', '1']",
        "False 2 ['']",
    ]
