"""`lingshu-data curate`: manifests through the operators of a recipe."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from lingshu_core.console import say
from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest, Parent, Producer
from lingshu_core.recipe import check
from lingshu_data.assembly import Ending, assemble
from lingshu_data.intake import PACKAGE
from lingshu_data.operator import operator_named
from lingshu_data.passes import Passes, Planned, legs_of
from lingshu_data.settings import CurateSettings, Running
from lingshu_data.shards import Shard, cut
from lingshu_data.workdir import Workdir, is_made


def curate(paths: Sequence[Path], out: Path, settings: CurateSettings, running: Running) -> None:
    """Takes the records of some manifests through a list of operators.

    Args:
        paths: The manifests; records of different ones are compared with each other.
        out: The manifest to write; what was dropped stands in `out/dropped`.
        settings: The operators.
        running: Workers and engine.

    Raises:
        SettingsError: An operator or one of its settings is unknown.
        DataError: A manifest cannot be read.
        Stopped: Some shards are left to other shares of the run.
    """
    steps = plan(settings)
    run_steps(
        steps,
        paths,
        running,
        Ending(
            out=out,
            producer=producer_of("curate", steps),
            title="Curation",
            summary="Every record that went in was kept, dropped for a reason, or set aside.",
            settings=CurateSettings(steps=tuple(step.settings.model_dump() for step in steps)),
        ),
    )


def run_steps(
    steps: Sequence[Planned],
    paths: Sequence[Path],
    running: Running,
    ending: Ending,
) -> None:
    """Runs steps over manifests and writes what is left, or says that it stands already."""
    parents = [Manifest(path).parent() for path in (*paths, *ending.others)]
    if is_made(ending.out, ending.producer, parents):
        return
    workdir = workdir_of(ending, parents)
    if running.dry_run:
        say_plan(steps, paths, workdir, ending)
        return
    passes, shards = take_through(steps, paths, running, workdir, ending)
    assemble(passes, shards, ending)


def say_plan(
    steps: Sequence[Planned], paths: Sequence[Path], workdir: Workdir, ending: Ending
) -> None:
    """Says what a run would do and how far it is; reads the manifests' lines and writes nothing."""
    shards = list(cut([Manifest(path) for path in paths]))
    lines = sum(shard.lines for shard in shards)
    say(f"{lines:,} records of {len(paths)} manifests, in {len(shards):,} shards")
    for leg in legs_of(steps):
        done = sum(workdir.is_done(leg.number, shard.number) for shard in shards)
        labels = [step.label for step in (*leg.locals, leg.grouping) if step is not None]
        say(f"leg {leg.number + 1}: {', '.join(labels)}; {done:,} of its shards are finished")
    for step in steps:
        for what, value in step.step.evidence().items():
            say(f"{step.label}: {what}: {value}")
    say(f"{ending.out} would be written; nothing was")


def take_through(
    steps: Sequence[Planned],
    paths: Sequence[Path],
    running: Running,
    workdir: Workdir,
    ending: Ending,
) -> tuple[Passes, list[Shard]]:
    """Runs steps over manifests; Stopped where shards are left to other shares of the run."""
    workdir.open()
    passes = Passes(tuple(paths), legs_of(steps), workdir, ending.producer.settings[:12])
    shards = passes.run(running)
    if shards is None:
        raise Stopped(
            "this share is done and others are not: give the same command again when they are"
        )
    return passes, shards


def workdir_of(ending: Ending, parents: Sequence[Parent]) -> Workdir:
    """Returns the working folder of a run, known by its settings and inputs."""
    key = {"producer": ending.producer, "parents": [parent.digest for parent in parents]}
    return Workdir(ending.out, key)


def plan(settings: CurateSettings) -> list[Planned]:
    """Returns the steps of a recipe with their settings checked and their labels told apart."""
    seen: Counter[str] = Counter()
    found = []
    for number, raw in enumerate(settings.steps):
        name = raw.get("operator")
        if not isinstance(name, str):
            raise SettingsError(f'step {number} names no operator: operator = "picture-filter"')
        where = f"steps.{number} ({name})"
        checked = check(operator_named(name).settings, raw, where=where)
        label = checked.label or name
        seen[label] += 1
        found.append(Planned(label if seen[label] == 1 else f"{label} {seen[label]}", checked))
    return found


def producer_of(command: str, steps: Sequence[Planned]) -> Producer:
    """Returns who writes, with which steps and which files and libraries behind them."""
    evidence = {step.label: step.step.evidence() for step in steps}
    whole = [step.settings.model_dump(mode="json") for step in steps]
    return Producer(
        package=PACKAGE,
        version=version(PACKAGE),
        command=f"lingshu-data {command}",
        settings=digest({"steps": whole, "evidence": evidence}),
    )
