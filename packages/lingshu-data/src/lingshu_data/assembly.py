"""The end of a run: shards become one manifest, beside it what was dropped, and the page."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from lingshu_core import page
from lingshu_core.console import progress, say
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import Facts, Flow, Gallery, Panel, Picture, Stats, Table
from lingshu_core.recipe import Recipe
from lingshu_core.records import RecordBase
from lingshu_data.display import Sampler, Thumbnails, bars, caption, count_table, reason
from lingshu_data.intake import PACKAGE
from lingshu_data.ledger import SET_ASIDE, Account, append, gap
from lingshu_data.passes import Passes
from lingshu_data.shards import Shard
from lingshu_data.workdir import naming

DROPPED_NAME = "dropped"
_EACH, _TEXT_ROWS = 3, 5
"""Samples of each reason on the page."""


@dataclass(frozen=True)
class Ending:
    """What a run's output says of itself."""

    out: Path
    producer: Producer
    title: str
    summary: str
    settings: Recipe
    facts: dict[str, str] = field(default_factory=dict)
    """What else decided the outcome: the tokenizer, the hash."""
    others: tuple[Path, ...] = ()
    """Further manifests whose records stand as `dropped_for`: evaluation sets."""


@dataclass
class Tally:
    """What is counted while the shards are written."""

    account: Account = field(default_factory=Account)
    modalities: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    flow: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown: Sampler = field(default_factory=Sampler)
    gone: dict[str, list[RecordBase]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, record: RecordBase) -> None:
        """Counts a record that stays."""
        self.modalities[str(record.modality)] += 1
        self.types[record.type] += 1
        self.flow[record.source.dataset, "kept"] += 1
        self.shown.offer(record)

    def drop(self, record: RecordBase) -> None:
        """Counts a record that goes."""
        what = f"{record.tags['dropped_by']}: {record.tags['dropped_reason']}"
        self.flow[record.source.dataset, what] += 1
        if len(self.gone[what]) < _TEXT_ROWS:
            self.gone[what].append(record)


def assemble(passes: Passes, shards: Sequence[Shard], ending: Ending) -> Tally:
    """Writes the output of a run of steps and removes its working folder.

    Returns:
        The exact counts.
    """
    sources = [Manifest(path) for path in passes.manifests]
    parents = [source.parent() for source in (*sources, *map(Manifest, ending.others))]
    tally = Tally()
    with (
        naming(ending.out),
        ManifestWriter(ending.out, producer=ending.producer, parents=parents) as writer,
    ):
        aside = writer.folder / DROPPED_NAME
        # A killed run may have come as far as these.
        shutil.rmtree(aside, ignore_errors=True)
        (writer.folder / SET_ASIDE).unlink(missing_ok=True)
        with ManifestWriter(aside, producer=ending.producer, parents=parents) as dropped:
            for shard in progress(shards, "writing", len(shards)):
                _write_shard(passes, shard, (writer, dropped), sources, tally)
        _check(tally.account)
        ending.settings.write(writer.folder / "settings.json")
        page.publish(writer.folder, _stats(passes, shards, ending, tally, writer.folder))
    passes.workdir.remove()
    say(f"page: {ending.out / page.PAGE_NAME}")
    return tally


def _write_shard(
    passes: Passes,
    shard: Shard,
    writers: tuple[ManifestWriter, ManifestWriter],
    sources: Sequence[Manifest],
    tally: Tally,
) -> None:
    writer, dropped = writers
    source = sources[shard.manifest]
    for record in passes.kept(shard.number):
        writer.write(record, source=source)
        tally.keep(record)
    for record in passes.dropped(shard.number):
        dropped.write(record, source=source)
        tally.drop(record)
    append(writer.folder / SET_ASIDE, passes.set_aside(shard.number))
    tally.account.add(passes.account(shard.number))


def _check(account: Account) -> None:
    gap(account.taken, account.kept + account.dropped.total() + account.set_aside.total())


def _stats(
    passes: Passes, shards: Sequence[Shard], ending: Ending, tally: Tally, folder: Path
) -> Stats:
    account = tally.account
    facts: dict[str, str | int | float | None] = {
        "records in": account.taken,
        "kept": account.kept,
        "dropped": account.dropped.total(),
        "set aside": account.set_aside.total(),
        **ending.facts,
    }
    panels: list[Panel] = [
        Facts(title="The account", facts=facts, note="In = kept + dropped + set aside."),
        bars("Modalities of what was kept", tally.modalities),
    ]
    if tally.flow:
        links = tuple((a, b, n) for (a, b), n in sorted(tally.flow.items()))
        panels.append(Flow(title="What became of each dataset", links=links, wide=True))
    if account.dropped:
        panels.append(count_table("Dropped", ("step", "reason", "records"), account.dropped))
    if account.notes:
        panels.append(count_table("Changed or left out", ("what", "times"), account.notes))
    if account.set_aside:
        panels.append(count_table("Set aside", ("why", "lines"), account.set_aside))
    if tally.shown.records:
        panels.append(tally.shown.gallery(folder, title="Pictures that were kept"))
    panels += _samples(passes, shards, ending, tally, folder)
    counts = {
        "in": account.taken,
        "kept": account.kept,
        "dropped": account.dropped.total(),
        "set_aside": account.set_aside.total(),
        **{f"dropped {what}": number for what, number in sorted(account.dropped.items())},
        **{f"kept {kind}": number for kind, number in sorted(tally.types.items())},
    }
    return Stats(
        title=ending.title,
        summary=ending.summary,
        package=PACKAGE,
        version=version(PACKAGE),
        command=ending.producer.command,
        counts=counts,
        panels=tuple(panels),
    )


def _samples(
    passes: Passes, shards: Sequence[Shard], ending: Ending, tally: Tally, folder: Path
) -> list[Panel]:
    """Returns what was dropped beside what was kept in its place, pictures and texts."""
    wanted = {
        r.tags["dropped_for"] for rs in tally.gone.values() for r in rs if "dropped_for" in r.tags
    }
    kept = _find(passes, shards, ending, wanted)
    thumbnails = Thumbnails(folder)
    pictures: list[Picture] = []
    texts: list[tuple[str, str, str]] = []
    for what, records in sorted(tally.gone.items()):
        for record in records[:_EACH]:
            stays = kept.get(record.tags.get("dropped_for", ""))
            if record.images:
                pictures += _pair(what, (folder / DROPPED_NAME, record), stays, thumbnails)
        texts += [
            (what, caption(record), caption(stays[1]) if stays else "")
            for record in records
            for stays in [kept.get(record.tags.get("dropped_for", ""))]
            if not record.images or (record.texts() and not stays)
        ]
    found: list[Panel] = []
    if pictures:
        note = "Each dropped picture with its reason; where another stays for it, that one follows."
        found.append(Gallery(title="Dropped", note=note, pictures=tuple(pictures), wide=True))
    if texts:
        columns = ("step and reason", "dropped", "kept in its place")
        found.append(Table(title="Dropped texts", columns=columns, rows=tuple(texts), wide=True))
    return found


_Place = tuple[Path, RecordBase]
"""Where a record's pictures start, and the record."""


def _pair(what: str, gone: _Place, stays: _Place | None, thumbnails: Thumbnails) -> list[Picture]:
    root, record = gone
    path = thumbnails.add(root, record.images[0])
    if path is None:
        return []
    found = [Picture(path=path, badge="dropped", caption=reason(what, record))]
    if stays is not None and stays[1].images:
        other = thumbnails.add(stays[0], stays[1].images[0])
        if other is not None:
            found.append(Picture(path=other, badge="kept", caption=caption(stays[1])))
    return found


def _find(
    passes: Passes, shards: Sequence[Shard], ending: Ending, wanted: set[str]
) -> dict[str, _Place]:
    """Returns records by their ids, from the run itself and from the manifests it looked at."""
    found: dict[str, _Place] = {}
    for path in ending.others:
        manifest = Manifest(path)
        found |= {r.id: (manifest.root, r) for r in manifest if r.id in wanted}
    for shard in shards:
        if len(found) == len(wanted):
            break
        root = Manifest(passes.manifests[shard.manifest]).root
        found |= {record.id: (root, record) for record in passes.named(shard.number, wanted)}
    return found
