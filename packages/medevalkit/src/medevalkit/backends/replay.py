"""Answers that a model gave elsewhere: a manifest of predictions."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.manifest import Manifest
from lingshu_core.records import Prediction
from medevalkit.backend import Answer, Backend, Request
from medevalkit.settings import RunSettings

_KEPT = ("response", "finish_reason", "error", "prompt_tokens", "completion_tokens", "latency")


class Replay:
    """Says what the manifest holds for an item, and nothing for the others."""

    def __init__(self, name: str, settings: RunSettings) -> None:
        self._said = {
            (said.item, said.replica): tuple(getattr(said, field) for field in _KEPT)
            for said in Manifest(Path(name)).of(Prediction)
        }

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields the recorded answers; an item that was not asked there has none."""
        for request in requests:
            said = self._said.get((request.record.id, request.replica))
            if said is None:
                yield Answer.failed(request, "the predictions hold no answer to this item")
            else:
                yield Answer(request, **dict(zip(_KEPT, said, strict=True)))

    def close(self) -> None:
        """Has nothing to close."""


def _fingerprint(name: str, settings: RunSettings) -> str:
    return f"replay {Manifest(Path(name)).digest()}"


BACKEND = Backend("answers given elsewhere: replay:MANIFEST", Replay, _fingerprint, by_item=True)
