"""What samples answers: one interface over transformers, vLLM in this process, vLLM as a server."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.errors import LingshuError
from lingshu_core.registry import Registry
from lingshu_rl.settings import EngineSettings

Weights = Callable[[], Iterator[tuple[str, Any]]]
"""Gives the names and tensors of the training model, tied ones under every name.

To read on may be collective: every rank has to, to the end.
"""


@dataclass(frozen=True)
class Prompt:
    """One prompt as the trainer sees it."""

    ids: tuple[int, ...]
    """Token ids, the place of each picture filled with as many picture tokens as it has."""
    chat: list[dict[str, Any]]
    """The messages, with the decoded pictures in them."""
    images: tuple[Any, ...]
    seed: int
    """Decides the answers, whatever was sampled before."""


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn."""

    n: int
    """Answers to each prompt."""
    max_tokens: int
    temperature: float = 1.0
    """0 takes the likeliest token."""


@dataclass(frozen=True)
class Sample:
    """One answer."""

    ids: list[int]
    """Tokens, with the one that ends it where it was not cut."""
    logprobs: list[float]
    """Log-probability of each token, as it was drawn; empty where the engine does not tell."""


@dataclass(frozen=True)
class Start:
    """What an engine is started with."""

    checkpoint: Path
    processor: Any
    settings: EngineSettings
    max_length: int
    """Tokens of prompt and answer together."""
    precision: str
    """`bfloat16` or `float32`."""
    scratch: Path
    """A folder for weights on their way to a server."""
    max_images: int = 1
    """Greatest number of pictures in a prompt."""
    rank: int = 0


class Engine(ABC):
    """Samples answers with weights that training hands over."""

    @abstractmethod
    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[Sample]]:
        """Returns `sampling.n` answers to each prompt.

        Raises:
            PromptMismatch: The engine reads a prompt otherwise than the trainer.
            Stopped: The engine is gone and does not come back.
        """

    @abstractmethod
    def sync(self, weights: Weights) -> None:
        """Takes over new weights and forgets everything computed with the old ones."""

    @abstractmethod
    def close(self) -> None:
        """Frees what the engine holds."""


@dataclass(frozen=True)
class EngineKind:
    """One kind of engine: a file of `engines/`, or an entry point of `lingshu_rl.engines`."""

    name: str
    start: Callable[[Start], Engine]
    summary: str
    shares_model: bool = False
    """Whether training samples with its own model, so that nothing has to be started."""


ENGINES: Registry[EngineKind] = Registry(
    folder="lingshu_rl.engines", group="lingshu_rl.engines", attribute="ENGINE", kind=EngineKind
)


class PromptMismatch(LingshuError):
    """Trainer and engine do not mean the same prompt, so no probability could be compared."""


def collapse(ids: Sequence[int], picture: int) -> list[int]:
    """Returns a prompt with one placeholder to each picture.

    vLLM fills placeholders itself; given a prompt that is filled already it would do so twice.
    """
    return [
        token for place, token in enumerate(ids) if token != picture or ids[place - 1] != picture
    ]


def same_prompt(ours: Sequence[int], theirs: Sequence[int]) -> None:
    """Raises PromptMismatch where two token sequences differ."""
    if list(ours) == list(theirs):
        return
    place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    where = "in length only" if place is None else f"first at token {place}"
    raise PromptMismatch(
        f"the trainer's prompt has {len(ours)} tokens, the engine's {len(theirs)}; they differ "
        f"{where}. Both have to use the same chat template and the same picture size"
    )


def banned(processor: Any) -> tuple[int, ...]:
    """Returns the tokens that stand for pictures and videos, which no answer may hold."""
    ids = (getattr(processor, f"{kind}_token_id", None) for kind in ("image", "video"))
    return tuple(token for token in ids if token is not None)


def seed_of(*parts: object) -> int:
    """Returns a seed of 31 bits that follows from its parts alone."""
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
