"""Pictures for the output, drawn beside the work of the main process."""

import os
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.errors import DataError
from lingshu_core.process import die_with_parent
from lingshu_synth.call import Shot
from lingshu_synth.generator import Drawing


class Drawn:
    """A picture that was drawn: its PNG file and its size in pixels."""

    def __init__(self, data: bytes, width: int, height: int) -> None:
        self.data = data
        self.width = width
        self.height = height


class Drawers:
    """Draws in so many processes, or in this one; used as a context manager."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._workers > 1:
            # Not by fork: there may be threads of the journal.
            pool = ProcessPoolExecutor(
                self._workers,
                mp_context=get_context("spawn"),
                initializer=die_with_parent,
                initargs=(os.getpid(),),
            )
            self._pool = self._stack.enter_context(pool)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._stack.close()

    @property
    def ahead(self) -> int:
        """How many pictures may be waited for at the same time."""
        return 4 * self._workers if self._pool is not None else 0

    def draw(self, drawing: Drawing, source: Path | None) -> "Future[Drawn]":
        """Begins to draw.

        Args:
            drawing: What is to be seen.
            source: Where the file of a shot's picture or volume is.

        Returns:
            The picture to come; it raises DataError where the file cannot be read.
        """
        if self._pool is not None:
            return self._pool.submit(_draw, drawing, source)
        done: Future[Drawn] = Future()
        try:
            done.set_result(_draw(drawing, source))
        except DataError as error:
            done.set_exception(error)
        return done


def _draw(drawing: Drawing, source: Path | None) -> Drawn:
    from lingshu_synth.studio import draw, png

    if isinstance(drawing, Shot):
        assert source is not None
        image = draw(drawing, source)
    else:
        from lingshu_synth.rendering.paper import draw_page

        image = draw_page(drawing)
    return Drawn(png(image), *image.size)
