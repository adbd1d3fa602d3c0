"""Answers everything with one text: what a benchmark gives to a model that sees nothing."""

from collections.abc import Iterator

from medevalkit.backend import Answer, Backend, Request, named
from medevalkit.settings import RunSettings


class Constant:
    """Says the same to everything."""

    def __init__(self, text: str) -> None:
        self.text = text

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields the text for every request."""
        for request in requests:
            yield Answer(request, self.text, "stop")

    def close(self) -> None:
        """Has nothing to close."""


def _open(name: str, settings: RunSettings) -> Constant:
    return Constant(name)


BACKEND = Backend("answers everything with one text: constant:TEXT", _open, named)
