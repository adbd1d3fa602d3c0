"""`lingshu-rl curate`: from instruction manifests to a set that rewards by rule can verify."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from lingshu_core.console import progress, say
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter, already_made
from lingshu_core.page import publish
from lingshu_core.records import Operation, Question
from lingshu_rl.curation_page import Census, curation_stats
from lingshu_rl.settings import CurationRecipe
from lingshu_rl.step import Desk, Item, Spool, Step, load_step

DROPPED = "dropped"
"""Folder beside the set that holds what was left out, each with its reason as the tag `dropped`."""
_JOURNALS = "journals"


def curate(recipe: CurationRecipe, inputs: Sequence[Path], out: Path) -> None:
    """Runs the steps of a recipe over the questions of some manifests.

    Raises:
        SettingsError: A step is unknown or its settings are wrong.
        DataError: An input is broken, or nothing is left.
    """
    shared = {"checkpoint": recipe.checkpoint, "against": recipe.against}
    steps = [load_step(settings, shared) for settings in recipe.steps]
    manifests = [Manifest(path) for path in inputs]
    producer = Producer(
        package="lingshu-rl",
        version=version("lingshu-rl"),
        command="lingshu-rl curate",
        settings=recipe.digest(),
    )
    parents = [manifest.parent() for manifest in manifests]
    if already_made(out, producer, parents):
        say(f"{out}: done already")
        return
    with ExitStack() as stack:
        writer = stack.enter_context(ManifestWriter(out, producer=producer, parents=parents))
        dropped = stack.enter_context(
            ManifestWriter(writer.folder / DROPPED, producer=producer, parents=parents)
        )
        desk = Desk(seed=recipe.seed, journals=writer.folder / _JOURNALS, dropped=dropped)
        desk.journals.mkdir(exist_ok=True)
        before, after = Census(), Census()
        stream = _chain(_read(manifests, before), steps, desk, stack, writer.folder)
        for item in progress(stream, "curated"):
            after.add(item.question)
            writer.write(_signed(item.question, producer), source=item.source)
        if not after.total:
            raise DataError(f"no question is left of {before.total}: {_reasons(desk)}")
        recipe.write(writer.folder / "settings.json")
        stats = curation_stats(recipe, producer, before, after, desk)
        publish(writer.folder, stats)
    say(f"{out}: {after.total} questions of {before.total}")


def _read(manifests: Sequence[Manifest], census: Census) -> Iterator[Item]:
    seen: set[str] = set()
    for manifest in manifests:
        for question in manifest.of(Question):
            if question.id in seen:
                continue
            seen.add(question.id)
            census.add(question)
            yield Item(question, manifest)


def _chain(
    items: Iterator[Item],
    steps: Sequence[tuple[str, Step]],
    desk: Desk,
    stack: ExitStack,
    folder: Path,
) -> Iterator[Item]:
    """Sets the steps one behind the other; those that read twice get their input on disk."""
    for name, step in steps:
        source = stack.enter_context(Spool(items, folder)) if step.rereads else items
        items = _at_desk(step.run(source, desk), name, desk)
    return items


def _at_desk(items: Iterator[Item], name: str, desk: Desk) -> Iterator[Item]:
    """Runs a step with its name on the desk whenever it is its turn."""
    while True:
        caller, desk.step = desk.step, name
        item = next(items, None)
        desk.step = caller
        if item is None:
            return
        yield item


def _signed(question: Question, producer: Producer) -> Question:
    operation = Operation(
        package=producer.package,
        version=producer.version,
        operation="curate",
        settings=producer.settings,
    )
    return question.replace(provenance=(*question.provenance, operation))


def _reasons(desk: Desk) -> str:
    counts = Counter({f"{step}: {reason}": n for (step, reason), n in desk.drops.items()})
    return "; ".join(f"{reason} ({n})" for reason, n in counts.most_common(5))
