"""`lingshu-train show-batch`: what the model sees of a step, and which tokens it learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lingshu_core.page import publish
from lingshu_core.panels import Facts, Marked, Stats
from lingshu_core.recipe import SETTINGS_NAME
from lingshu_train.collate import Row
from lingshu_train.runner import Sources

How = Literal["plain", "strong", "soft", "label"]
Passage = tuple[str, How]

_COLOURS = {"strong": "bold green", "soft": "dim", "plain": "", "label": "reverse"}


@dataclass(frozen=True)
class Shown:
    """One row for people."""

    row: Row
    passages: tuple[Passage, ...]


def passages_of(row: Row, names: Sequence[str], tokenizer: Any, picture: int) -> list[Passage]:
    """Returns a row as passages: learned ones `strong`, given ones `soft`, borders as `label`.

    Args:
        row: What the model is given.
        names: Of its samples.
        tokenizer: Writes the tokens out.
        picture: The token that stands for a patch of a picture.
    """
    ids = row.input_ids[0].numpy()
    learned = np.zeros(len(ids), dtype=bool)
    learned[row.keep.numpy() + 1] = True
    bounds = row.bounds.tolist()
    shown: list[Passage] = []
    for place, (start, end) in enumerate(pairwise(bounds)):
        name = names[place] if place < len(names) else "a picture that nothing is learned from"
        shown.append((f"{name}: {end - start} tokens", "label"))
        shown.append(("\n", "plain"))
        kinds = np.where(ids[start:end] == picture, 2, learned[start:end])
        at = start
        for kind, run in groupby(kinds.tolist()):
            count = len(list(run))
            if kind == 2:
                shown.append((f"picture, {count} tokens", "label"))
            else:
                text = tokenizer.decode(ids[at : at + count])
                shown.append((text, "strong" if kind else "soft"))
            at += count
        shown.append(("\n", "plain"))
    return shown


def show_rows(rows: Sequence[Row], sources: Sources) -> list[Shown]:
    """Returns the rows of a step for people."""
    tokenizer = sources.processor.tokenizer
    picture = sources.mixture.codec.encoder.picture
    return [
        Shown(row, tuple(passages_of(row, sources.mixture.ids(row.samples), tokenizer, picture)))
        for row in rows
    ]


def print_rows(shown: Sequence[Shown]) -> None:
    """Prints rows on the terminal, in colours where it has them."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for number, item in enumerate(shown, 1):
        console.print(Text(_heading(number, item.row), style="bold"))
        text = Text()
        for words, how in item.passages:
            text.append(words, style=_COLOURS[how])
        console.print(text)
        for fault in item.row.failed:
            console.print(Text(f"set aside: {fault.record}: {fault.reason}", style="red"))


def publish_rows(shown: Sequence[Shown], sources: Sources, step: int, out: Path) -> None:
    """Writes the rows of a step as a page."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [item.row for item in shown]
    panels = [
        Marked(title=_heading(number, item.row), wide=True, passages=item.passages)
        for number, item in enumerate(shown, 1)
    ]
    facts = {
        "rows": len(rows),
        "samples": sum(len(row.samples) for row in rows),
        "tokens": sum(row.tokens for row in rows),
        "learned": sum(len(row.targets) for row in rows),
        "pictures": sum(len(row.grids) for row in rows if row.counts),
        "set aside": sum(len(row.failed) for row in rows),
    }
    publish(
        out,
        Stats(
            title=f"Step {step} of {sources.recipe}",
            summary="Green is learned; everything else is given. No sample sees another.",
            package="lingshu-train",
            version=version("lingshu-train"),
            command=f"show-batch {sources.recipe}",
            counts=facts,
            panels=(Facts(title="In short", wide=True, facts={**facts}), *panels),
        ),
    )
    sources.stage.write(out / SETTINGS_NAME)


def _heading(number: int, row: Row) -> str:
    return (
        f"Row {number}: {len(row.samples)} samples, {row.tokens} tokens, "
        f"{len(row.targets)} of them learned"
    )
