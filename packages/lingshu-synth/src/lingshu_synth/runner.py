"""One run of a generator: read, ask, write. Asking and writing go over the input each on their own.

Asking fills the journal, in any order; writing replays the scripts from it, in the order of the
input. So memory stays flat, a slow call holds nothing up, and what is written follows from the
input, the settings and the replies alone.
"""

import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lingshu_core.console import progress, say
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import already_made
from lingshu_synth.generator import GENERATORS, PACKAGE, Generator, Item, Kind, Outcome, Rejected
from lingshu_synth.reading import Reading
from lingshu_synth.settings import GeneratorSettings
from lingshu_synth.writing import Writing


def run(name: str, inputs: Sequence[Path], out: Path, settings: GeneratorSettings) -> None:
    """Runs a generator over manifests and writes what it makes as a manifest.

    Raises:
        SettingsError: The generator needs a model and none is named; `out` holds something else.
        DataError: An input cannot be read.
        Stopped: Not all calls are answered; the same command goes on.
    """
    start = time.monotonic()
    kind = GENERATORS.get(name)
    if not kind.offline and not settings.asks:
        raise SettingsError(f"{name} needs a model: give --endpoint URL and --model NAME")
    manifests = [Manifest(path) for path in inputs]
    producer = _producer(name, settings)
    parents = [manifest.parent() for manifest in manifests]
    if already_made(out, producer, parents):
        say(f"{out}: made already by the same command, nothing to do")
        return
    reading, generator = prepare(kind, manifests, settings)
    with Writing(out, producer, parents, generator) as writing:
        for entry in progress(reading, name, reading.expected()):
            writing.add(entry, entry.fault or _made(generator, entry.item))
        writing.publish(reading.passed_over, time.monotonic() - start)
    counts = writing.report.counts
    say(f"{out}: {counts['out']} records from {counts['in']}, {counts['set_aside']} set aside")


def prepare(
    kind: Kind, manifests: Sequence[Manifest], settings: GeneratorSettings
) -> tuple[Reading, Generator[Any]]:
    """Builds a generator and lets it look at its input."""
    generator = kind.build(settings)
    reading = Reading(manifests, generator)
    generator.survey(reading.items)
    return reading, generator


def _producer(name: str, settings: GeneratorSettings) -> Producer:
    return Producer(
        package=PACKAGE,
        version=version(PACKAGE),
        command=f"{PACKAGE} {name}",
        settings=settings.identity(),
    )


def _made(generator: Generator[Any], item: Item) -> Outcome[Any]:
    outcome = generator.reduce(item)
    return Rejected("unanswered") if outcome is None else outcome
