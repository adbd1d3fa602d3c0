"""`medevalkit import`: predictions of other kits as a run, to be scored, judged and compared."""

import hashlib
import json
import shutil
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from lingshu_core.console import say
from lingshu_core.digest import digest, file_sha256, record_id
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest, Parent, Producer
from lingshu_core.manifest_writer import ManifestWriter, already_made
from lingshu_core.modality import Modality
from lingshu_core.records import Operation, Prediction, Question, RecordBase, Report
from medevalkit.benchmark import BENCHMARKS
from medevalkit.importer import IMPORTERS, Loose
from medevalkit.maker import Maker
from medevalkit.run import run
from medevalkit.settings import RunSettings

FOLDER = "imported"
SET_ASIDE = "set_aside.jsonl"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BROKEN = (DataError, ValidationError, KeyError, TypeError, ValueError, IndexError)


@dataclass(frozen=True)
class Import:
    """What is imported as what."""

    path: Path
    """The file of the other kit."""
    form: str
    """Name of the format."""
    task: str
    """What the task is called; the name of a benchmark brings its card."""
    model: str
    """What tables call the model."""
    items: Path | None = None
    """Manifest of the items that were asked; without it they are made of the file."""


@dataclass
class Imported:
    """What an import came to."""

    answers: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    """By the reason."""


def import_run(what: Import, out: Path) -> None:
    """Makes a run of predictions that another kit wrote; a row that is broken is set aside.

    Args:
        what: The file and what it is to be taken for.
        out: Folder of the run.

    Raises:
        SettingsError: The format is unknown, or `out` holds something else.
        DataError: The file is none of the format, or no row can be used.
    """
    folder = out / FOLDER
    producer = Producer(
        package="lingshu-medevalkit",
        version=version("lingshu-medevalkit"),
        command="medevalkit import",
        settings=digest(
            {"form": what.form, "task": what.task, "model": what.model, "items": _source(what)}
        ),
    )
    parent = Parent(path=what.path.name, digest=file_sha256(_present(what.path)))
    if not already_made(folder / "predictions", producer, [parent]):
        shutil.rmtree(folder / "items", ignore_errors=True)
        with (
            ManifestWriter(folder / "predictions", producer=producer, parents=[parent]) as said,
            ManifestWriter(folder / "items", producer=producer, parents=[parent]) as items,
        ):
            found = _Importing(what, items, said).all()
        _tell(what, found)
    run(
        RunSettings(
            model=f"replay:{folder / 'predictions'}",
            label=what.model,
            tasks=(f"{what.task}={what.items or folder / 'items'}",),
        ),
        out,
    )


class _Importing:
    """Goes through the rows of one file."""

    def __init__(self, what: Import, items: ManifestWriter, said: ManifestWriter) -> None:
        self._what = what
        self._importer = IMPORTERS.get(what.form)
        self._items = items
        self._said = said
        known = what.task.replace("-", "_") in BENCHMARKS.names()
        card = BENCHMARKS.get(what.task).card if known else None
        self._maker = Maker(
            what.task,
            card.licence if card else "unknown",
            card.split if card else "imported",
            what.path.parent,
            items,
        )
        self._known = None if what.items is None else _Known(Manifest(what.items))
        self._times: Counter[str] = Counter()
        self._written: set[str] = set()
        self._made = Operation(
            package="lingshu-medevalkit",
            version=version("lingshu-medevalkit"),
            operation=f"import {what.form}",
            model=what.model,
        )

    def all(self) -> Imported:
        """Writes what can be used and returns what it came to."""
        found, aside = Imported(), []
        for number, row in enumerate(self._importer.rows(self._what.path), 1):
            try:
                self._take(self._importer.loose(row))
                found.answers += 1
            except _BROKEN as error:
                reason = _reason(error)
                found.set_aside[reason] += 1
                aside.append(json.dumps({"row": number, "reason": reason}, ensure_ascii=False))
        if not found.answers:
            first = next(iter(found.set_aside), "there are none")
            raise DataError(f"no row can be used: {first}", path=self._what.path)
        (self._said.folder / SET_ASIDE).write_text(
            "".join(f"{line}\n" for line in aside), encoding="utf-8"
        )
        return found

    def _take(self, loose: Loose) -> None:
        record = self._record(loose) if self._known is None else self._known.find(loose)
        if record.id in self._written:
            raise DataError("answers an item a second time")
        prediction = Prediction(
            id=record_id(self._what.task, record.id, self._what.model),
            source=record.source,
            modality=record.modality,
            language=record.language,
            provenance=(self._made,),
            item=record.id,
            task=self._what.task,
            model=self._what.model,
            # How it was put is not known here; what was asked is.
            prompt_sha256=hashlib.sha256(loose.question.encode()).hexdigest(),
            response=loose.response,
            finish_reason="stop" if loose.error is None else "error",
            error=loose.error,
        )
        if self._known is None:
            self._items.write(record)
        self._said.write(prediction)
        self._written.add(record.id)

    def _record(self, loose: Loose) -> RecordBase:
        content = digest([loose.question, loose.options, str(loose.answer), loose.findings])
        # The same words are asked about several pictures: then their order tells them apart.
        key = loose.item or f"{content} {self._times[content]}"
        self._times[content] += 1
        # The pictures are not in the file, but these are no questions about texts alone.
        more = {**loose.tags, "language": loose.language, "modality": Modality.UNKNOWN}
        if loose.kind == "report" or loose.findings or loose.impression:
            return self._maker.report(key, loose.findings, loose.impression, **more)
        if not loose.question:
            raise DataError("has no question", field="question")
        if loose.options:
            gold = _letter(loose)
            return self._maker.choice(key, loose.question, loose.options, gold, **more)
        if loose.answer is None:
            return self._maker.withheld(key, loose.question, **more)
        closed = None if loose.kind is None else loose.kind == "closed"
        return self._maker.words(key, loose.question, str(loose.answer), closed=closed, **more)


class _Known:
    """The items that were asked, looked up by id, or by question and gold in their order."""

    def __init__(self, manifest: Manifest) -> None:
        self._ids: dict[str, RecordBase] = {}
        self._words: dict[tuple[str, str], deque[RecordBase]] = defaultdict(deque)
        for record in manifest:
            self._ids[record.id] = record
            self._words[_asked(record)].append(record)

    def find(self, loose: Loose) -> RecordBase:
        """Returns the item that a row answers; DataError where there is none."""
        if loose.item is not None:
            if loose.item not in self._ids:
                raise DataError(f"the items have no {loose.item!r}", field="id")
            return self._ids[loose.item]
        waiting = self._words.get((_plain(loose.question or loose.findings), _gold(loose)))
        if not waiting:
            raise DataError("no item has this question and answer")
        return waiting.popleft()


def _asked(record: RecordBase) -> tuple[str, str]:
    if isinstance(record, Question):
        texts = {option.letter: option.text for option in record.options}
        gold = record.answer or ""
        return _plain(record.question), _plain(texts.get(gold, gold))
    return _plain(record.findings if isinstance(record, Report) else ""), ""


def _gold(loose: Loose) -> str:
    if not loose.options:
        return "" if loose.answer is None else _plain(str(loose.answer))
    letter = _letter(loose)
    return _plain(_texts(loose).get(letter or "", letter or ""))


def _letter(loose: Loose) -> str | None:
    """Returns the letters of the right options; DataError where the answer is none of them."""
    if loose.answer is None:
        return None
    if isinstance(loose.answer, int):
        return _LETTERS[loose.answer]
    texts = _texts(loose)
    said = loose.answer.strip()
    bare = said.strip("().").upper()
    if bare and set(bare) <= set(texts):
        return bare
    for letter, text in texts.items():
        if said in (text, loose.options[_LETTERS.index(letter)].strip()):
            return letter
    raise DataError(f"{said!r} is none of the options", field="answer")


def _texts(loose: Loose) -> dict[str, str]:
    from lingshu_core.answers import options_from

    return options_from(loose.options)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _source(what: Import) -> str | None:
    return None if what.items is None else Manifest(what.items).digest()


def _present(path: Path) -> Path:
    if not path.is_file():
        raise SettingsError(f"{path}: there is no such file")
    return path


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(error, KeyError):
        return f"lacks the field {error}"
    return f"{error}" if isinstance(error, DataError) else f"{type(error).__name__}: {error}"


def _tell(what: Import, found: Imported) -> None:
    aside = sum(found.set_aside.values())
    say(f"{what.path.name}: {found.answers} answers, {aside} rows set aside")
    for reason, times in found.set_aside.most_common(5):
        say(f"  {times} times: {reason}")
