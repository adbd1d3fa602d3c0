"""A row of samples as the tensors that the model takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingshu_train.attention import InputError
from lingshu_train.encode import Encoded
from lingshu_train.pictures import Grid, Picture


@dataclass(frozen=True)
class Failed:
    """A sample that could not be read when its turn came."""

    sample: int
    record: str
    reason: str


@dataclass
class Row:
    """One row of `L` tokens, `S` of them supervised, from `D` samples."""

    samples: tuple[int, ...]
    """Numbers of the samples that are in it."""
    failed: tuple[Failed, ...]
    input_ids: Tensor
    """`(1, L)`"""
    position_ids: Tensor
    """`(4, 1, L)`: the place in its sample, then time, height and width of M-RoPE."""
    bounds: Tensor
    """`(D + 1,)` int32: where each sample starts, a dummy included."""
    longest: int
    """Tokens of the longest sample."""
    keep: Tensor
    """`(S,)`: the tokens whose successor is learned."""
    targets: Tensor
    """`(S,)`: those successors."""
    owner: Tensor
    """`(S,)`: which of `samples` each belongs to."""
    counts: tuple[int, ...]
    """Supervised tokens of each of `samples`."""
    pixel_values: Tensor
    """`(patches, 3 * temporal * patch * patch)`"""
    grids: Tensor
    """`(pictures, 3)`: frames, height, width in patches; stays on the host."""
    vision: dict[str, Tensor | int] = field(default_factory=dict)
    """Windows and positions of the patches, computed ahead of the encoder."""

    @property
    def tokens(self) -> int:
        """`L`."""
        return self.input_ids.shape[1]

    def to(self, device: torch.device) -> Self:
        """Moves to a device what the model needs there."""
        if device.type == "cpu":
            return self
        return self._mapped(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """Puts the tensors where a GPU can fetch them by itself; the loader calls it."""
        return self._mapped(Tensor.pin_memory)

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> Self:
        def each(values: dict[str, Any]) -> dict[str, Any]:
            return {
                name: change(value) if isinstance(value, Tensor) and name != "grids" else value
                for name, value in values.items()
            }

        return type(self)(**{**each(self.__dict__), "vision": each(self.vision)})


@dataclass(frozen=True)
class Opened:
    """A sample with its pictures."""

    number: int
    encoded: Encoded
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Collator:
    """Puts samples into a row.

    Args:
        dummy: What goes along where no sample has a picture.
        patch: Side of a patch in pixels.
        merge: Side of the square of patches that becomes one token.
        temporal: Frames that a patch takes.
        window: Side of an attention window of the vision encoder, in pixels.
    """

    dummy: Encoded
    patch: int
    merge: int
    temporal: int
    window: int

    def __call__(self, opened: Sequence[Opened], failed: Sequence[Failed] = ()) -> Row:
        """Returns the row of some samples."""
        parts = [sample.encoded for sample in opened]
        pictures = [picture for sample in opened for picture in sample.pictures]
        shown = [picture.grid for picture in pictures]
        if not pictures:
            parts, shown = [*parts, self.dummy], [Grid(self.merge, self.merge)]
        bounds = np.concatenate([[0], np.cumsum([part.tokens for part in parts])])
        learned = [np.flatnonzero(part.learned) for part in parts]
        after = np.concatenate(
            [where + start for where, start in zip(learned, bounds, strict=False)]
        )
        counts = tuple(len(where) for where in learned[: len(opened)])
        ids = np.concatenate([part.ids for part in parts])
        text = np.concatenate([np.arange(part.tokens) for part in parts])
        places = np.concatenate([part.positions for part in parts], axis=1)
        grids = torch.tensor([[1, grid.height, grid.width] for grid in shown])
        row = Row(
            samples=tuple(sample.number for sample in opened),
            failed=tuple(failed),
            input_ids=torch.from_numpy(ids)[None],
            position_ids=torch.from_numpy(np.concatenate([text[None], places]))[:, None],
            bounds=torch.from_numpy(bounds.astype(np.int32)),
            longest=max(part.tokens for part in parts),
            keep=torch.from_numpy(after - 1),
            targets=torch.from_numpy(ids[after]),
            owner=torch.from_numpy(np.repeat(np.arange(len(opened)), counts)),
            counts=counts,
            pixel_values=torch.from_numpy(self._values(pictures, shown)),
            grids=grids,
            vision=self._vision(grids),
        )
        check_positions(row, self.dummy.ids[1])
        return row

    def _values(self, pictures: Sequence[Picture], grids: Sequence[Grid]) -> NDArray[np.float32]:
        """Returns the patches of all pictures, each written once; zeros where there is none."""
        columns = 3 * self.temporal * self.patch**2
        count = sum(grid.patches for grid in grids)
        if not pictures:
            return np.zeros((count, columns), dtype=np.float32)
        values, start = np.empty((count, columns), dtype=np.float32), 0
        for picture in pictures:
            end = start + picture.grid.patches
            picture.write(values[start:end])
            start = end
        return values

    def _vision(self, grids: Tensor) -> dict[str, Tensor | int]:
        from transformers.vision_utils import (
            get_vision_cu_seqlens,
            get_vision_position_ids,
            get_vision_window_index,
        )

        index, windows = get_vision_window_index(grids, self.merge, self.window, self.patch)
        return {
            "image_cu_seqlens": get_vision_cu_seqlens(grids),
            "image_max_seqlen": int(grids.prod(1).max()),
            "image_max_window_seqlen": (self.window // self.patch) ** 2,
            "image_position_ids": get_vision_position_ids(grids, self.merge),
            "image_window_index": index,
            "image_cu_window_seqlens": windows,
        }


def check_positions(row: Row, picture: int) -> None:
    """Makes sure that the positions keep samples apart and pictures two-dimensional.

    transformers takes the borders of samples from the first row of positions, without a word
    where it is wrong.

    Raises:
        InputError: It is, or a picture has positions of a text.
    """
    places = row.position_ids[:, 0].numpy()
    bounds = row.bounds.numpy()
    expected = np.arange(row.tokens) - np.repeat(bounds[:-1], np.diff(bounds))
    if places.shape[0] != 4 or not np.array_equal(places[0], expected):
        raise InputError("positions do not start anew with every sample of the row")
    shown = row.input_ids[0].numpy() == picture
    inside = shown[1:] & shown[:-1]
    if (np.diff(places[1])[inside] != 0).any():
        raise InputError("a picture has the positions of a text: its tokens were not marked")
