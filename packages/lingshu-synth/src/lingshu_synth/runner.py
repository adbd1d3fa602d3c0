"""One run of a generator: read, ask, write. Asking and writing go over the input each on their own.

Asking fills the journal, in any order; writing replays the scripts from it, in the order of the
input. So memory stays flat, a slow call holds nothing up, and what is written follows from the
input, the settings and the replies alone.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lingshu_core.console import progress, say
from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import already_made
from lingshu_synth.call import Call, Reply
from lingshu_synth.generator import GENERATORS, PACKAGE, Generator, Outcome, Rejected
from lingshu_synth.reading import Entry, Reading
from lingshu_synth.settings import GeneratorSettings
from lingshu_synth.writing import Writing

Answer = Callable[[tuple[Call, ...]], tuple[Reply, ...] | None]

_PICTURES = "pictures"
"""Folder below the journal: pictures as they are sent, until the run is over."""


@dataclass(frozen=True)
class Job:
    """What a command wants done."""

    name: str
    """Of the generator."""
    inputs: tuple[Path, ...]
    out: Path
    settings: GeneratorSettings
    journal: Path | None = None
    """Folder of the journal; None: `synth-journal` beside the output."""
    replay: bool = False
    """Whether no call may be made: what the journal holds has to be enough."""

    @property
    def journal_folder(self) -> Path:
        """Where the journal lies."""
        return self.journal or self.out.absolute().parent / "synth-journal"


def run(job: Job) -> None:
    """Runs a generator over manifests and writes what it makes as a manifest.

    Raises:
        SettingsError: The generator needs a model and none is named; `out` holds something else.
        DataError: An input cannot be read.
        Stopped: Not all calls are answered; the same command goes on.
    """
    start = time.monotonic()
    manifests = [Manifest(path) for path in job.inputs]
    producer = _producer(job)
    parents = [manifest.parent() for manifest in manifests]
    if already_made(job.out, producer, parents):
        say(f"{job.out}: made already by the same command, nothing to do")
        return
    reading, generator = prepare(job, manifests)
    with (
        _answered(job, reading, generator) as (answer, faults),
        Writing(job.out, producer, parents, generator) as writing,
    ):
        for entry in progress(reading, f"writing {job.name}", reading.expected()):
            writing.add(entry, _outcome(entry, generator, answer, faults))
        writing.publish(reading.passed_over, time.monotonic() - start)
    counts = writing.report.counts
    say(f"{job.out}: {counts['out']} records from {counts['in']}, {counts['set_aside']} set aside")


def prepare(job: Job, manifests: Sequence[Manifest]) -> tuple[Reading, Generator[Any]]:
    """Builds a generator and lets it look at its input.

    Raises:
        SettingsError: It cannot work without a model, and none is named.
    """
    kind = GENERATORS.get(job.name)
    if not kind.offline and not job.settings.asks:
        raise SettingsError(f"{job.name} needs a model: give --endpoint URL --model NAME")
    generator = kind.build(job.settings)
    reading = Reading(manifests, generator)
    generator.survey(reading.items)
    return reading, generator


@contextmanager
def _answered(
    job: Job, reading: Reading, generator: Generator[Any]
) -> Iterator[tuple[Answer, dict[str, Rejected]]]:
    """Gives replies to all calls, having seen to it that they are there."""
    if not job.settings.asks:
        yield (lambda calls: ()), {}
        return
    # They bring the client and its transport, which offline work can do without.
    from lingshu_synth.driver import Replies
    from lingshu_synth.drivers.batch import Batch
    from lingshu_synth.drivers.online import Online
    from lingshu_synth.drivers.replay import Replay
    from lingshu_synth.journal import Journal
    from lingshu_synth.studio import Studio

    with Journal(job.journal_folder) as journal:
        replies = Replies(journal, job.settings.calls.ask_again)
        studio = Studio(journal.folder / _PICTURES)
        if job.replay or not job.settings.calls.endpoints:
            faults = Replay(replies).ask(reading, generator)
        elif job.settings.calls.batch:
            faults = Batch(journal, job.settings, studio).ask(reading, generator)
        else:
            faults = Online(journal, job.settings, studio).ask(reading, generator)
        yield replies.all, faults
    shutil.rmtree(journal.folder / _PICTURES, ignore_errors=True)


def _outcome(
    entry: Entry, generator: Generator[Any], answer: Answer, faults: dict[str, Rejected]
) -> Outcome[Any]:
    fault = entry.fault or faults.get(entry.item.id)
    if fault is not None:
        return fault
    outcome = generator.play(entry.item, answer)
    if outcome is None:
        raise Stopped("replies are missing from the journal: the same command asks for them")
    return outcome


def _producer(job: Job) -> Producer:
    return Producer(
        package=PACKAGE,
        version=version(PACKAGE),
        command=f"{PACKAGE} {job.name}",
        settings=job.settings.identity(),
    )
