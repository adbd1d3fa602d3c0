"""`lingshu-data mix`: the records of a training stage, chosen and shuffled.

The choice is made by the operator `mixture`. The order follows from seed and id alone: the chosen
lines are dealt into buckets by their place in it, and each bucket is sorted in memory.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from lingshu_core import page
from lingshu_core.console import progress, say
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import Bars, Facts, Flow, Panel, Series, Stats
from lingshu_core.records import RECORD, RecordBase, dump_line
from lingshu_data.assembly import DROPPED_NAME, Ending
from lingshu_data.curate import producer_of, say_plan, take_through, workdir_of
from lingshu_data.display import Sampler, bars, count_table, spans
from lingshu_data.intake import PACKAGE
from lingshu_data.ledger import SET_ASIDE, Account, append
from lingshu_data.operators.mixture import Settings, place_in_order
from lingshu_data.passes import Passes, Planned
from lingshu_data.settings import Running
from lingshu_data.shards import Shard
from lingshu_data.workdir import is_made, naming

_BUCKET = 20_000
"""Records sorted in memory at a time: some tens of megabytes."""


def mix(paths: Sequence[Path], out: Path, settings: Settings, running: Running) -> None:
    """Writes the mixture of a training stage.

    Args:
        paths: The manifests to choose from.
        out: The manifest to write; what was not chosen stands in `out/dropped`.
        settings: Takes, caps and amounts.
        running: Workers and engine.

    Raises:
        DataError: A manifest cannot be read.
        Stopped: Some shards are left to other shares of the run.
    """
    steps = [Planned("mixture", settings)]
    ending = Ending(
        out=out,
        producer=producer_of("mix", steps),
        title=f"Mixture of the stage {settings.stage}",
        summary="Which records the stage trains on, and where they come from.",
        settings=settings,
    )
    parents = [Manifest(path).parent() for path in paths]
    if is_made(out, ending.producer, parents):
        return
    workdir = workdir_of(ending, parents)
    if running.dry_run:
        say_plan(steps, paths, workdir, ending)
        return
    passes, shards = take_through(steps, paths, running, workdir, ending)
    tally = _Tally(settings)
    with (
        naming(out),
        ManifestWriter(out, producer=ending.producer, parents=parents) as writer,
    ):
        aside = writer.folder / DROPPED_NAME
        shutil.rmtree(aside, ignore_errors=True)
        (writer.folder / SET_ASIDE).unlink(missing_ok=True)
        sources = [Manifest(path) for path in paths]
        with ManifestWriter(aside, producer=ending.producer, parents=parents) as dropped:
            for shard in shards:
                for record in passes.dropped(shard.number):
                    dropped.write(record, source=sources[shard.manifest])
                append(writer.folder / SET_ASIDE, passes.set_aside(shard.number))
                tally.account.add(passes.account(shard.number))
        for manifest, record in _shuffled(passes, shards, settings, tally.account.kept):
            writer.write(record, source=sources[manifest])
            tally.keep(record)
        settings.write(writer.folder / "settings.json")
        page.publish(writer.folder, tally.stats(ending, writer.folder))
    workdir.remove()
    say(f"page: {out / page.PAGE_NAME}")


def _shuffled(
    passes: Passes, shards: Sequence[Shard], settings: Settings, kept: int
) -> Iterator[tuple[int, RecordBase]]:
    """Yields every chosen record, copies included, with the place of its manifest."""
    folder = passes.workdir.folder / "buckets"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    most = max((take.repeat for take in settings.takes), default=1)
    bits = max(0, (kept * most // _BUCKET).bit_length())
    buckets: list[BinaryIO] = [(folder / f"{n:05}").open("wb") for n in range(1 << bits)]
    try:
        for shard in progress(shards, "shuffling", len(shards)):
            for record in passes.kept(shard.number):
                for key, copy in _copies(record, settings):
                    line = b"%016x %d " % (key, shard.manifest) + dump_line(copy) + b"\n"
                    buckets[key >> (64 - bits) if bits else 0].write(line)
    finally:
        for file in buckets:
            file.close()
    for number in progress(range(1 << bits), "writing", 1 << bits):
        # Sorted by key, and by content where two keys are equal by chance.
        for line in sorted((folder / f"{number:05}").read_bytes().splitlines()):
            _, manifest, record_line = line.split(b" ", 2)
            yield int(manifest), RECORD.validate_json(record_line)
        (folder / f"{number:05}").unlink()


def _copies(record: RecordBase, settings: Settings) -> Iterator[tuple[int, RecordBase]]:
    take = settings.take_of(record)
    assert take is not None
    for number in range(1, settings.takes[take].repeat + 1):
        copy = record if number == 1 else record.replace(id=f"{record.id}#{number}")
        yield place_in_order(settings.seed, "order", copy.id), copy


class _Tally:
    """What is counted while the mixture is written."""

    def __init__(self, settings: Settings) -> None:
        self.account = Account()
        self._settings = settings
        self._flow: Counter[tuple[str, str]] = Counter()
        self._takes: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._modalities: Counter[str] = Counter()
        self._words: Counter[int] = Counter()
        self._shown = Sampler()

    def keep(self, record: RecordBase) -> None:
        place = self._settings.take_of(record)
        assert place is not None
        take = self._settings.takes[place].name
        self._flow[record.source.dataset, take] += 1
        self._takes[take] += 1
        self._types[record.type] += 1
        self._modalities[str(record.modality)] += 1
        words = sum(len(text.split()) for text in record.texts())
        self._words[words.bit_length()] += 1
        self._shown.offer(record)

    def stats(self, ending: Ending, folder: Path) -> Stats:
        account, total = self.account, self._takes.total()
        facts: dict[str, str | int | float | None] = {
            "records": total,
            "there were": account.taken,
            "left out": account.dropped.total(),
            "seed": self._settings.seed,
        }
        links = [(dataset, take, n) for (dataset, take), n in sorted(self._flow.items())]
        links += [(take, self._settings.stage, n) for take, n in sorted(self._takes.items())]
        panels: list[Panel] = [
            Facts(title="The mixture", facts=facts),
            bars("Modalities", self._modalities, note="The paper's Figure 5."),
        ]
        if links:
            panels.append(Flow(title="Where it comes from", links=tuple(links), wide=True))
            panels += [self._lengths(), bars("Record types", self._types)]
        if account.dropped:
            table = count_table("Left out", ("step", "reason", "records"), account.dropped)
            panels.append(table)
        if self._shown.records:
            panels.append(self._shown.gallery(folder, title="Pictures of the mixture"))
        counts = {
            "in": account.taken,
            "records": total,
            "dropped": account.dropped.total(),
            "set_aside": account.set_aside.total(),
        }
        counts |= {f"take {name}": number for name, number in sorted(self._takes.items())}
        return Stats(
            title=ending.title,
            summary=ending.summary,
            package=PACKAGE,
            version=version(PACKAGE),
            command=ending.producer.command,
            counts=counts,
            panels=tuple(panels),
        )

    def _lengths(self) -> Bars:
        sizes = range(max(self._words, default=0) + 1)
        names = spans(sizes)
        counts = tuple(self._words[n] for n in sizes)
        series = Series(name="records", x=names, y=counts)
        return Bars(title="Words of a record", x="words", y="records", series=(series,))
