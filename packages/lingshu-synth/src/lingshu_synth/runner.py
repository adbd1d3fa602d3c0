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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lingshu_core.console import progress, say
from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import already_made
from lingshu_synth.call import Call, Reply
from lingshu_synth.generator import (
    GENERATORS,
    PACKAGE,
    Generator,
    Outcome,
    Rejected,
    package_version,
)
from lingshu_synth.reading import Entry, Reading
from lingshu_synth.settings import GeneratorSettings
from lingshu_synth.writing import Writing

if TYPE_CHECKING:
    from lingshu_synth.driver import Driver
    from lingshu_synth.journal import Journal

Answer = Callable[[tuple[Call, ...]], tuple[Reply, ...] | None]

_PICTURES = "pictures"
"""Folder below the journal: pictures as they are sent, until the run is over."""


@dataclass(frozen=True)
class Ways:
    """How a job is done, which changes nothing of what comes out."""

    journal: Path | None = None
    """Folder of the journal; None: `synth-journal` beside the output."""
    replay: bool = False
    """Whether no call may be made: what the journal holds has to be enough."""
    serve: str = ""
    """A model for which a vLLM server is started for the time of the run."""
    workers: int = 1
    """Processes that draw pictures."""


@dataclass(frozen=True)
class Job:
    """What a command wants done."""

    name: str
    """Of the generator."""
    inputs: tuple[Path, ...]
    out: Path
    settings: GeneratorSettings
    ways: Ways = Ways()

    @property
    def journal_folder(self) -> Path:
        """Where the journal lies."""
        return self.ways.journal or self.out.absolute().parent / "synth-journal"


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
        Writing(job.out, producer, parents, generator, job.ways.workers) as writing,
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
    # What calls need is loaded only where calls are made.
    from lingshu_synth.driver import Replies
    from lingshu_synth.journal import Journal

    with Journal(job.journal_folder) as journal:
        with _endpoints(job, journal.folder) as settings:
            faults = _driver(job, settings, journal).ask(reading, generator)
        yield Replies(journal, job.settings.calls.ask_again).all, faults
    shutil.rmtree(journal.folder / _PICTURES, ignore_errors=True)


def _driver(job: Job, settings: GeneratorSettings, journal: "Journal") -> "Driver":
    """Returns how the calls are made."""
    from lingshu_synth.studio import Studio

    studio = Studio(journal.folder / _PICTURES)
    if job.ways.replay or not settings.calls.endpoints:
        from lingshu_synth.drivers.replay import Replay

        return Replay(journal, settings)
    if settings.calls.batch:
        from lingshu_synth.drivers.batch import Batch

        return Batch(journal, settings, studio)
    from lingshu_synth.drivers.online import Online

    return Online(journal, settings, studio)


@contextmanager
def _endpoints(job: Job, folder: Path) -> Iterator[GeneratorSettings]:
    """Gives the settings with their endpoints, one of which may have to be started."""
    if not job.ways.serve or job.ways.replay:
        yield job.settings
        return
    from lingshu_synth.serving import served

    with served(job.ways.serve, job.settings.model.name, folder / "vllm.log") as endpoint:
        calls = job.settings.calls
        calls = calls.model_copy(update={"endpoints": (endpoint, *calls.endpoints)})
        yield job.settings.model_copy(update={"calls": calls})


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
        version=package_version(),
        command=f"{PACKAGE} {job.name}",
        settings=job.settings.identity(),
    )
