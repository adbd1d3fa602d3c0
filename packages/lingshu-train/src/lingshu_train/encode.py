"""From chat messages to token ids, the tokens that are learned, and positions. Pure.

The ids equal those of the checkpoint's own chat template; `lingshu-train check` compares them on
the user's data. What a record says is never read as a control token, even where it spells one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError
from lingshu_core.messages import Message
from lingshu_train.pictures import Grid

_SYSTEM = re.compile(r"<\|im_start\|>system\n(.*?)<\|im_end\|>", re.DOTALL)


class UnfitError(ValueError):
    """A sample cannot be learned from; the message says why."""


@dataclass(frozen=True)
class Encoded:
    """One sample of `L` tokens."""

    ids: NDArray[np.int64]
    """`(L,)`"""
    learned: NDArray[np.bool_]
    """`(L,)`: the tokens of the assistant, each turn with the token that ends it."""
    positions: NDArray[np.int64]
    """`(3, L)`: time, height, width of M-RoPE, from 0."""
    patches: int
    """Rows of pixel values of its pictures."""

    @property
    def tokens(self) -> int:
        """`L`."""
        return len(self.ids)

    @property
    def supervised(self) -> int:
        """How many tokens are learned."""
        return int(self.learned.sum())


@dataclass(frozen=True)
class _Piece:
    ids: Sequence[int]
    learned: bool = False
    grid: Grid | None = None


class Encoder:
    """Encodes for one tokenizer.

    Args:
        tokenizer: A fast tokenizer with the control tokens of Qwen2.5-VL and a chat template.
        merge: Side of the square of patches that becomes one token.

    Raises:
        SettingsError: A control token or the template is missing.
    """

    def __init__(self, tokenizer: Any, merge: int) -> None:
        self.merge = merge
        self._words = tokenizer.backend_tokenizer.to_str()
        self._plain = _plain(self._words)
        self.start, self.end = (_control(tokenizer, f"<|im_{name}|>") for name in ("start", "end"))
        self.picture = _control(tokenizer, "<|image_pad|>")
        self._around = [(_control(tokenizer, f"<|vision_{name}|>"),) for name in ("start", "end")]
        self._system = _default_system(tokenizer)
        self._cache: dict[str, list[int]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out the tokenizer, which would forget that control tokens are text to it."""
        return {**self.__dict__, "_plain": None, "_cache": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Makes the tokenizer anew."""
        self.__dict__.update(state, _plain=_plain(state["_words"]))

    def identity(self) -> dict[str, object]:
        """Returns what decides the ids, for hashes."""
        return {
            "tokenizer": digest(self._words),
            "system": self._system,
            "merge": self.merge,
        }

    def dummy(self) -> Encoded:
        """Returns a sample with one tiny picture and nothing to learn.

        A row without pictures takes it along, so that every rank runs the vision encoder: with
        ZeRO-2 and ZeRO-3 a rank that does not would leave the others waiting.
        """
        before, after = self._around
        grid = Grid(self.merge, self.merge)
        return _join(
            [_Piece(before), _Piece((self.picture,), grid=grid), _Piece(after)], self.merge
        )

    def encode(
        self, messages: Sequence[Message], grids: Iterable[Grid], *, limit: int | None = None
    ) -> Encoded:
        """Encodes a conversation.

        Args:
            messages: As `lingshu_core.messages.to_messages` gives them.
            grids: Of the pictures, in order.
            limit: Greatest number of tokens; a longer text is cut at its end.

        Raises:
            UnfitError: There is nothing to learn, or no cut leaves the pictures whole and
                something to learn.
        """
        following = iter(grids)
        pieces: list[_Piece] = []
        if messages[0].role != "system" and self._system is not None:
            pieces += self._turn("system", [_Piece(self._ids(f"system\n{self._system}"))])
        for message in messages:
            pieces += self._message(message, following)
        whole = _join(pieces, self.merge)
        if not whole.supervised:
            raise UnfitError("there is no answer to learn")
        return whole if limit is None else _shortened(whole, limit, self.picture)

    def _message(self, message: Message, grids: Iterable[Grid]) -> list[_Piece]:
        if message.role == "assistant":
            # The model starts after `assistant\n` when it answers, so its text stands alone.
            answer = self._ids(message.text)
            body = [_Piece(self._ids("assistant\n")), _Piece(answer, learned=True)]
            return self._turn("assistant", body)
        body, text = [], f"{message.role}\n"
        before, after = self._around
        for piece in message.content:
            if piece.image is None:
                text += piece.text or ""
                continue
            grid = next(iter(grids))
            pad = (self.picture,) * grid.tokens(self.merge)
            body += [_Piece(self._ids(text)), _Piece(before), _Piece(pad, grid=grid), _Piece(after)]
            text = ""
        return self._turn(message.role, [*body, _Piece(self._ids(text))])

    def _turn(self, role: str, body: list[_Piece]) -> list[_Piece]:
        learned = role == "assistant"
        return [
            _Piece((self.start,)), *body, _Piece((self.end,), learned=learned),
            _Piece(self._ids("\n")),
        ]  # fmt: skip

    def _ids(self, text: str) -> list[int]:
        if len(text) > 80:
            return self._encode(text)
        # Prompts, options and short answers come again and again.
        found = self._cache.get(text)
        if found is None:
            if len(self._cache) > 50_000:
                self._cache.clear()
            found = self._cache[text] = self._encode(text)
        return found

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        return ids


def mrope(pieces: Iterable[tuple[int, Grid | None]], merge: int) -> NDArray[np.int64]:
    """Returns M-RoPE positions `(3, L)` of runs of text and pictures, from 0.

    Args:
        pieces: The length of each run in tokens, and its grid where it is a picture.
        merge: Side of the square of patches that becomes one token.
    """
    parts, start, text = [np.empty((3, 0), dtype=np.int64)], 0, 0
    for length, grid in pieces:
        if grid is None:
            text += length  # runs of text next to each other are one
            continue
        parts.append(_line(start, text))
        start += text
        height, width = grid.height // merge, grid.width // merge
        part = np.full((3, height, width), start, dtype=np.int64)
        part[1] += np.arange(height)[:, None]
        part[2] += np.arange(width)[None, :]
        parts.append(part.reshape(3, -1))
        start, text = start + max(height, width), 0
    parts.append(_line(start, text))
    return np.concatenate(parts, axis=1)


def _line(start: int, length: int) -> NDArray[np.int64]:
    line = np.empty((3, length), dtype=np.int64)
    line[:] = np.arange(start, start + length)
    return line


def _join(pieces: Sequence[_Piece], merge: int) -> Encoded:
    ids = [token for piece in pieces for token in piece.ids]
    learned = np.repeat([piece.learned for piece in pieces], [len(piece.ids) for piece in pieces])
    return Encoded(
        ids=np.array(ids, dtype=np.int64),
        learned=learned,
        positions=mrope(((len(piece.ids), piece.grid) for piece in pieces), merge),
        patches=sum(piece.grid.patches for piece in pieces if piece.grid),
    )


def _shortened(whole: Encoded, limit: int, picture: int) -> Encoded:
    if whole.tokens <= limit:
        return whole
    if (whole.ids[limit:] == picture).any() or whole.ids[limit - 1] == picture:
        raise UnfitError(f"{whole.tokens} tokens, and a cut at {limit} would go through a picture")
    if not whole.learned[:limit].any():
        raise UnfitError(f"{whole.tokens} tokens, and the first {limit} hold no answer")
    return Encoded(
        whole.ids[:limit], whole.learned[:limit], whole.positions[:, :limit], whole.patches
    )


def _plain(words: str) -> Any:
    """Returns a tokenizer to which a text that spells a control token stays text."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(words)
    tokenizer.encode_special_tokens = True
    return tokenizer


def _control(tokenizer: Any, token: str) -> int:
    found = tokenizer.convert_tokens_to_ids(token)
    if not isinstance(found, int) or tokenizer.convert_ids_to_tokens(found) != token:
        raise SettingsError(f"the tokenizer has no {token}: it is not of the Qwen2.5-VL family")
    return found


def _default_system(tokenizer: Any) -> str | None:
    """Returns what the chat template says where a conversation has no system turn of its own."""
    if tokenizer.chat_template is None:
        raise SettingsError("the checkpoint has no chat template")
    text = tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False)
    match = _SYSTEM.search(text)
    return match.group(1) if match else None
