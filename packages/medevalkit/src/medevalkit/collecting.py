"""The loop between items, model and journal."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import chain

from lingshu_core.console import progress
from lingshu_core.errors import Stopped
from lingshu_core.manifest import Manifest
from lingshu_core.records import Operation, Prediction
from medevalkit.asking import Asking, Wanted
from medevalkit.backend import Answer, Model, Request
from medevalkit.cache import Cache
from medevalkit.items import Items
from medevalkit.journal import Journal
from medevalkit.pictures import BrokenPictureError, Form, Loaded, Pictures, ahead

_KEPT = ("response", "finish_reason", "prompt_tokens", "completion_tokens", "latency")


@dataclass(frozen=True)
class Source:
    """The items of one task, and where their pictures are."""

    task: str
    items: Items
    pictures: Manifest


class Collecting:
    """Asks what the journal does not know yet.

    Items whose requests are the same to the letter wait for one answer.

    Args:
        asking: How items are put.
        journal: Where answers go.
        cache: Where answers are kept across runs.
        backend: Name of the model's backend.
    """

    def __init__(self, asking: Asking, journal: Journal, cache: Cache | None, backend: str) -> None:
        self._asking = asking
        self._journal = journal
        self._cache = cache
        self._model = asking.settings.shown()
        self._waiting: dict[bytes, list[Wanted]] = {}
        self._made = Operation(
            package="lingshu-medevalkit",
            version=version("lingshu-medevalkit"),
            operation="run",
            settings=asking.digest,
            model=self._model,
            endpoint=backend,
        )
        self.asked = 0
        """Requests that the model answered, well or not."""
        self.failed = 0
        """Requests that failed in passing."""

    def collect(
        self, sources: list[Source], form: Form, open_model: Callable[[], Model], total: int
    ) -> None:
        """Asks everything that is missing; the model is opened when the first request is there.

        Args:
            sources: The tasks.
            form: How the model wants pictures.
            open_model: Opens it.
            total: How many answers are missing, for the progress bar.

        Raises:
            Stopped: More requests failed in passing than the budget allows.
        """
        with Pictures(self._asking.settings.pictures, form) as pictures:
            requests = self._requests(sources, form, pictures)
            first = next(requests, None)
            if first is None:
                return
            model = open_model()
            try:
                answers = model.answers(chain([first], requests))
                for answer in progress(answers, "answers", total):
                    self.asked += 1
                    self._take(answer)
            finally:
                model.close()

    def _requests(self, sources: list[Source], form: Form, pictures: Pictures) -> Iterator[Request]:
        started = (
            (wanted, [] if form == "none" else _load(wanted, source, pictures))
            for source in sources
            for wanted in self._missing(source)
        )
        for wanted, loads in ahead(started, self._asking.settings.pictures.ahead):
            request = Request(
                wanted.key,
                wanted.record,
                wanted.messages,
                self._asking.longest(wanted.record),
                wanted.replica,
            )
            try:
                loaded = tuple(load.result() for load in loads)
            except BrokenPictureError as error:
                self._set_aside(request, error)
                continue
            yield replace(request, pictures=loaded) if loaded else request

    def _set_aside(self, request: Request, error: BrokenPictureError) -> None:
        """Writes that a request has no picture; the budget of errors is not for that."""
        said = {"finish_reason": "error", "error": str(error)}
        for wanted in self._waiting.pop(request.key):
            self._write(wanted, said, passing=error.passing)

    def _missing(self, source: Source) -> Iterator[Wanted]:
        """Yields what has to be asked; what the journal knows from a twin is copied there."""
        for record in source.items.by_picture():
            for wanted in self._asking.wanted(source.task, record):
                if self._journal.has(wanted.prediction):
                    continue
                if wanted.fault:
                    self._write(wanted, {"finish_reason": "error", "error": wanted.fault})
                elif wanted.key in self._waiting:
                    self._waiting[wanted.key].append(wanted)
                elif known := self._known(wanted.key):
                    self._write(wanted, known)
                else:
                    self._waiting[wanted.key] = [wanted]
                    yield wanted

    def _known(self, key: bytes) -> dict[str, object] | None:
        """Returns what was answered to the same request, in this run or in another one."""
        if twin := self._journal.answered(key):
            return twin.model_dump(include=set(_KEPT))
        cached = self._cache.get(key) if self._cache else None
        return None if cached is None else json.loads(cached)

    def _take(self, answer: Answer) -> None:
        said = {
            "response": answer.response,
            "finish_reason": answer.finish_reason,
            "error": answer.error,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "latency": None if answer.latency is None else round(answer.latency, 4),
        }
        key = answer.request.key
        if self._cache and answer.finish_reason != "error":
            self._cache.put(key, json.dumps({name: said[name] for name in _KEPT}))
        for wanted in self._waiting.pop(key):
            self._write(wanted, said, passing=answer.passing)
        if not answer.passing:
            return
        self.failed += 1
        if self.failed >= self._asking.settings.endpoint.error_budget:
            raise Stopped(
                f"{self.failed} requests failed, the last with: {answer.error}; "
                "the same command goes on with what is missing"
            )

    def _write(self, wanted: Wanted, said: Mapping[str, object], *, passing: bool = False) -> None:
        record = wanted.record
        prediction = Prediction.model_validate(
            {
                "response": "",
                **said,
                "id": wanted.prediction,
                "source": record.source,
                "domain": record.domain,
                "modality": record.modality,
                "language": record.language,
                "provenance": (self._made,),
                "item": record.id,
                "task": wanted.task,
                "model": self._model,
                "prompt_sha256": wanted.prompt_sha256,
                "replica": wanted.replica,
            }
        )
        self._journal.add(wanted.key, prediction, passing=passing)


def _load(wanted: Wanted, source: Source, pictures: Pictures) -> list[Future[Loaded]]:
    images = (piece.image for message in wanted.messages for piece in message.content)
    return [pictures.load(image, source.pictures) for image in images if image is not None]
