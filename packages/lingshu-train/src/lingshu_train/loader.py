"""Rows read, decoded and put together ahead of the device."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import BaseContext

import torch
from torch.utils.data import DataLoader, Dataset

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import RECORD, RecordBase
from lingshu_train.collate import Collator, Failed, Opened, Row
from lingshu_train.dealing import Row as Numbers
from lingshu_train.lengths import Lengths
from lingshu_train.pictures import BROKEN
from lingshu_train.samples import Codec


@dataclass(frozen=True)
class Mixture:
    """A manifest with its lengths, ready to be read by number."""

    manifest: Manifest
    lengths: Lengths
    codec: Codec

    def record(self, number: int) -> RecordBase:
        """Returns a sample's record."""
        lengths = self.lengths
        with self.manifest.parts[lengths.part[number]].open("rb") as file:
            file.seek(lengths.offset[number])
            line = file.read(lengths.size[number])
        record: RecordBase = RECORD.validator.validate_json(line, strict=True)
        return record

    def ids(self, numbers: Iterable[int]) -> list[str]:
        """Returns the ids of some samples."""
        return [self.record(number).id for number in numbers]


class Rows(Dataset[Row]):
    """Makes rows out of the numbers of their samples."""

    def __init__(self, mixture: Mixture, collator: Collator) -> None:
        self.mixture = mixture
        self._collator = collator

    def __getitem__(self, numbers: Numbers) -> Row:
        """Returns a row; a sample that cannot be read is left out of it and named."""
        opened, failed = [], []
        for number in numbers:
            record = self.mixture.record(number)
            try:
                encoded = self.mixture.codec.encode(record)
                pictures = self.mixture.codec.open(record, self.mixture.manifest)
            except BROKEN as error:
                failed.append(Failed(number, record.id, _reason(error)))
                continue
            opened.append(Opened(number, encoded, pictures))
        return self._collator(opened, failed)


def load_rows(
    rows: Rows, order: Iterable[Numbers], *, workers: int, ahead: int, pinned: bool
) -> Iterator[Row]:
    """Yields rows in order.

    Args:
        rows: Makes them.
        order: The numbers of each row's samples.
        workers: Processes that make rows; 0 makes each when it is asked for.
        ahead: Rows that each process keeps ready.
        pinned: Whether they are put where a GPU can fetch them by itself.
    """
    if workers == 0:
        yield from (rows[numbers] for numbers in order)
        return
    loader: DataLoader[Row] = DataLoader(
        rows,
        sampler=order,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=ahead,
        pin_memory=pinned,
        multiprocessing_context=worker_context(),
        worker_init_fn=_one_thread,
    )
    yield from _taken_over(iter(loader))


def _taken_over(rows: Iterator[Row]) -> Iterator[Row]:
    """Yields rows, the next of which a thread takes over from its worker meanwhile.

    A worker that is asked for a row's tensors has to answer for each, and may be decoding: with
    eight pictures of 448 px that takes tens of milliseconds, in which a step would wait.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, rows, None)
        while (row := coming.result()) is not None:
            coming = thread.submit(next, rows, None)
            yield row


def worker_context() -> BaseContext:
    """Returns how workers start: from a server that has imported everything once.

    Forking a process that already computes with threads can hang it. And without the imports
    ahead each worker would do them anew, one after another: the next one is started when the one
    before has read what it works with.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "transformers.models.qwen2.tokenization_qwen2"])
    return context


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def _reason(error: BaseException) -> str:
    if isinstance(error, DataError):
        return error.message
    text = str(error).splitlines()
    return f"cannot be decoded ({type(error).__name__}: {text[0] if text else ''})"
