"""`lingshu-data decontaminate`: training records that overlap with evaluation sets are found."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from lingshu_core.digest import digest
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import already_made
from lingshu_data.assembly import Ending
from lingshu_data.curate import run_steps, workdir_of
from lingshu_data.evaluation import build_index
from lingshu_data.hashing import ALGORITHM
from lingshu_data.intake import PACKAGE
from lingshu_data.minhash import ALGORITHM as TEXTS
from lingshu_data.operators.decontamination import Settings as Step
from lingshu_data.passes import Planned
from lingshu_data.settings import DecontaminateSettings, Running


def decontaminate(
    paths: Sequence[Path],
    against: Sequence[Path],
    out: Path,
    settings: DecontaminateSettings,
    running: Running,
) -> None:
    """Drops or flags what overlaps with evaluation sets.

    Args:
        paths: The training manifests.
        against: The evaluation manifests.
        out: The manifest to write; what was dropped stands in `out/dropped`, each record with the
            item it overlaps with.
        settings: What counts as an overlap.
        running: Workers and engine.

    Raises:
        DataError: A manifest cannot be read.
        Stopped: Some shards are left to other shares of the run.
    """
    producer = Producer(
        package=PACKAGE,
        version=version(PACKAGE),
        command="lingshu-data decontaminate",
        settings=digest({"settings": settings, "hash": ALGORITHM, "texts": TEXTS}),
    )
    ending = Ending(
        out=out,
        producer=producer,
        title="Decontamination",
        summary="Training records compared with the evaluation sets: pictures by their bytes and "
        "their looks, texts whole, by runs of words and by signatures.",
        settings=settings,
        others=tuple(against),
    )
    parents = [Manifest(path).parent() for path in (*paths, *against)]
    index = workdir_of(ending, parents).folder / "index"
    if not running.dry_run and not already_made(out, producer, parents):
        build_index(against, index, running)
    step = Step(
        index=str(index),
        distance=settings.distance,
        texts=settings.texts,
        action=settings.action,
    )
    run_steps([Planned("decontamination", step)], paths, running, ending)
