"""`medevalkit prepare`: a benchmark, from its publisher's files or the hub, as a manifest."""

import json
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from lingshu_core.console import progress, say
from lingshu_core.digest import digest
from lingshu_core.errors import DataError
from lingshu_core.fingerprint import of_input
from lingshu_core.manifest import Parent, Producer
from lingshu_core.manifest_writer import ManifestWriter, already_made
from lingshu_core.page import publish
from lingshu_core.panels import Facts, Prose, Stats, Table
from medevalkit.benchmark import BENCHMARKS, Benchmark
from medevalkit.hub import fetch
from medevalkit.maker import Maker

SET_ASIDE = "set-aside.jsonl"
_MOST_REASONS = 20


@dataclass
class Prepared:
    """What came of a preparation."""

    items: int = 0
    pictures: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    """Rows that could not be used, by reason."""


def prepare(name: str, out: Path, *, folder: Path | None = None, blind: bool = False) -> Path:
    """Writes a benchmark as a manifest and compares its counts with the card.

    Args:
        name: Of the benchmark.
        out: The manifest's folder.
        folder: The publisher's files; fetched from the hub where it is None.
        blind: Whether the pictures are left out.

    Returns:
        `out`.

    Raises:
        SettingsError: The name is unknown, or `out` holds something else.
        DataError: The folder is not laid out as expected, or no row of it can be used.
    """
    benchmark = BENCHMARKS.get(name)
    raw = folder or fetch(benchmark)
    producer = Producer(
        package="lingshu-medevalkit",
        version=version("lingshu-medevalkit"),
        command="medevalkit prepare",
        settings=digest({"benchmark": name, "card": _card_facts(benchmark), "blind": blind}),
    )
    parent = Parent(path=str(raw), digest=of_input(raw))
    if already_made(out, producer, [parent]):
        say(f"{out}: is prepared already")
        return out
    with ManifestWriter(out, producer=producer, parents=[parent]) as writer:
        maker = Maker(
            name.replace("_", "-"),
            benchmark.card.licence,
            benchmark.card.split,
            raw,
            writer,
            blind=blind,
        )
        prepared = _write(benchmark, raw, maker, writer)
    _show(name, benchmark, prepared, out)
    return out


def differences(benchmark: Benchmark, prepared: Prepared) -> list[str]:
    """Returns what is not as the card says, in sentences."""
    card = benchmark.card
    found = []
    for what, got, said in (
        ("items", prepared.items, card.items),
        ("pictures", prepared.pictures, card.pictures),
    ):
        if said is not None and got != said and (what == "items" or got):
            found.append(
                f"{got} {what} where the whole benchmark has {said}: scores are not comparable "
                "with others'"
            )
    if card.paper_items is not None and card.paper_items != (card.items or card.paper_items):
        found.append(f"the paper counts {card.paper_items}: {card.odd[0]}")
    return found


def _write(benchmark: Benchmark, raw: Path, maker: Maker, writer: ManifestWriter) -> Prepared:
    prepared = Prepared()
    pictures, ids = set(), set()
    aside = []
    for number, row in enumerate(progress(benchmark.rows(raw), "rows", benchmark.card.items), 1):
        try:
            record = benchmark.record(row, maker)
        except (DataError, ValidationError, KeyError, TypeError, ValueError, IndexError) as error:
            reason = _reason(error)
            prepared.set_aside[reason] += 1
            aside.append({"row": number, "reason": reason})
            continue
        if record is None:
            continue
        if record.id in ids:
            prepared.set_aside["is there twice"] += 1
            aside.append({"row": number, "reason": "is there twice", "id": record.id})
            continue
        ids.add(record.id)
        pictures |= {image.sha256 for image in record.images}
        writer.write(record)
    prepared.items, prepared.pictures = len(ids), len(pictures)
    if not ids:
        raise DataError(f"no row can be used: {_first(prepared)}", path=raw)
    lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in aside)
    (writer.folder / SET_ASIDE).write_text(lines, encoding="utf-8")
    return prepared


def _reason(error: Exception) -> str:
    if isinstance(error, DataError):
        return error.message if error.field is None else f"{error.field}: {error.message}"
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
    if isinstance(error, KeyError):
        return f"lacks the field {error}"
    return f"{type(error).__name__}: {error}"


def _first(prepared: Prepared) -> str:
    return next(iter(prepared.set_aside), "there are no rows")


def _show(name: str, benchmark: Benchmark, prepared: Prepared, out: Path) -> None:
    notes = differences(benchmark, prepared)
    aside = sum(prepared.set_aside.values())
    for note in (f"{prepared.items} items, {aside} rows set aside", *notes):
        say(f"{name}: {note}")
    reasons = prepared.set_aside.most_common(_MOST_REASONS)
    publish(
        out,
        Stats(
            title=f"{benchmark.card.title}, prepared",
            summary=f"{benchmark.card.citation}. Licence: {benchmark.card.licence}.",
            package="lingshu-medevalkit",
            version=version("lingshu-medevalkit"),
            command="medevalkit prepare",
            counts={"items": prepared.items, "pictures": prepared.pictures, "set aside": aside},
            panels=(
                Facts(facts={"items": prepared.items, "pictures": prepared.pictures}),
                Prose(title="To be known", text="\n\n".join((*notes, *benchmark.card.odd))),
                Table(title="Set aside", columns=("reason", "rows"), rows=tuple(reasons)),
            ),
        ),
    )


def _card_facts(benchmark: Benchmark) -> dict[str, str | None]:
    card = benchmark.card
    return {"source": card.source, "revision": card.revision, "split": card.split}
