"""Keeps the datasets that a recipe names (paper, Table 5)."""

from collections.abc import Iterable, Iterator

from pydantic import Field

from lingshu_rl.step import Desk, Item, Step


class Sources(Step):
    """Keeps questions by dataset."""

    datasets: tuple[str, ...] = Field(min_length=1)
    """Names as records carry them; `synth*` stands for all that begin so."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the questions of the named datasets."""
        for item in items:
            dataset = item.question.source.dataset
            if any(_fits(dataset, wanted) for wanted in self.datasets):
                yield item
            else:
                desk.drop(item, f"dataset {dataset} is not among the sources")


def _fits(dataset: str, wanted: str) -> bool:
    return dataset.startswith(wanted[:-1]) if wanted.endswith("*") else dataset == wanted


STEP = Sources
