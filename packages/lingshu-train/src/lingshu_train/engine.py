"""What holds a model's parameters, adds up its gradients, and steps them: the interface.

The engines stand in `engines/`. All of them give the same update for the same step, to rounding.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from lingshu_core.registry import Registry
from lingshu_train.collate import Row
from lingshu_train.model import Supervised
from lingshu_train.settings import Group, Stage
from lingshu_train.world import World

Slot = tuple[Tensor, Tensor, Tensor]
"""What is kept of a trained parameter: its float32 value and AdamW's two moments, whole."""


class Engine(Protocol):
    """One rank's hold on the model."""

    supervised: Supervised

    def losses(self, row: Row) -> Tensor:
        """Returns the loss of each supervised token, `(S,)`. All ranks call it equally often."""

    def judged(self, row: Row) -> tuple[Tensor, Tensor]:
        """Returns losses and which tokens were right, without gradients; as `losses`."""

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Adds a row's gradient to those of the step.

        Args:
            loss: The row's share of the step's loss: the shares of all rows of all ranks add up
                to it.
            last: Whether it is the rank's last row of the step.
        """

    def step(self, rates: Mapping[Group, float]) -> float:
        """Updates the parameters and forgets the gradients.

        Args:
            rates: Learning rate of each part that trains.

        Returns:
            The norm of the gradient of all parts together, before clipping.
        """

    def read(self) -> Iterator[tuple[str, Slot]]:
        """Yields every trained parameter's slot, whole, in one order on all ranks.

        All ranks walk through it together; what is yielded may be used until the next one.
        """

    def write(self, slots: Callable[[str], Slot], steps: int) -> None:
        """Sets every trained parameter's slot.

        Args:
            slots: Gives the slot of a name.
            steps: Optimizer steps that made it.
        """

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yields every parameter as the model computes with it, whole; walked like `read`."""


@dataclass(frozen=True)
class EngineKind:
    """An engine that a recipe can name."""

    load: Callable[[Path, Stage, World], Any]
    """Loads a checkpoint as transformers' model: ZeRO-3 shares it out while it comes."""
    build: Callable[[Supervised, Stage, World], Engine]


ENGINES: Registry[EngineKind] = Registry(
    folder="lingshu_train.engines",
    group="lingshu_train.engines",
    attribute="ENGINE",
    kind=EngineKind,
)
