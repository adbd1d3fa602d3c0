"""A model that answers at once, and a process that asks it without scoring.

python _instant.py TEXT|ENCODED|DECODED MANIFEST OUT [key=value …]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.recipe import load_recipe
from medevalkit.backend import Answer, Backend, Request, named
from medevalkit.run import run
from medevalkit.settings import RunSettings


class Instant:
    """Answers A; where it was given pictures, it writes them as a request would carry them."""

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields an answer for every request."""
        for request in requests:
            sent = sum(len(one.data_url()) for one in request.pictures if one.data)
            yield Answer(request, "A", "stop", prompt_tokens=sent, latency=0.0)

    def close(self) -> None:
        """Has nothing to close."""


TEXT = Backend("answers at once", lambda name, settings: Instant(), named)
ENCODED = Backend("answers at once", lambda name, settings: Instant(), named, pictures="encoded")
DECODED = Backend("answers at once", lambda name, settings: Instant(), named, pictures="decoded")


if __name__ == "__main__":
    kind, manifest, out, *more = sys.argv[1:]
    words = [f"model={__file__}:{kind}:x", f'tasks=["manifest:{manifest}"]', *more]
    run(load_recipe(RunSettings, None, words), Path(out))
