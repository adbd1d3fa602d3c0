"""Drops captions with too few or too many tokens (paper, section 2.1.4: 10 to 1,024).

Tokens are those of the model to train, so the tokenizer is a local file whose hash stands in the
statistics. A byte-level BPE never merges across white space: there are at least as many tokens as
words and at most as many as bytes, which decides most captions without tokenising them.
"""

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import normalize

from pydantic import Field

from lingshu_core.digest import file_sha256
from lingshu_core.errors import SettingsError
from lingshu_core.records import RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item, Local, Operator, Policy

WORDS = "words"
"""Counts words and marks instead of tokens: for tests, and where there is no tokenizer yet."""
_WORD = re.compile(r"\w+|[^\w\s]")


class Settings(Policy):
    """How long a caption may be."""

    operator: str = "caption-length"
    types: tuple[str, ...] = ("caption",)
    least: int = Field(default=10, ge=0)
    """Fewest tokens that are kept."""
    most: int = Field(default=1024, ge=1)
    """Most tokens that are kept."""
    tokenizer: str = WORDS
    """A `tokenizer.json`, a folder that holds one, or `words`."""


class CaptionLength(Local):
    """Judges a record by the tokens of its text."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = _file(settings.tokenizer)

    def evidence(self) -> dict[str, str]:
        """Returns which tokenizer counts."""
        if self._file is None:
            return {"tokenizer": "words and marks, no model's tokens"}
        return {"tokenizer": f"sha256 {file_sha256(self._file)}"}

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record, or its number of tokens where that is out of bounds."""
        least, most = self._settings.least, self._settings.most
        text = " ".join(item.record.texts())
        if self._surely_fits(text):
            return item.record
        tokens = self.count(text)
        if tokens < least:
            return Drop(f"fewer than {least} tokens", value=tokens)
        if tokens > most:
            return Drop(f"more than {most} tokens", value=tokens)
        return item.record

    def count(self, text: str) -> int:
        """Returns the number of tokens of a text, without special ones."""
        if self._file is None:
            return len(_WORD.findall(text))
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _surely_fits(self, text: str) -> bool:
        if self._file is None or not self._is_byte_level:
            return False
        few = len(text.split())
        return few >= self._settings.least and self._bytes(text) <= self._settings.most

    def _bytes(self, text: str) -> int:
        # A normaliser may write one character as two.
        return len((text if text.isascii() else normalize("NFC", text)).encode())

    @cached_property
    def _is_byte_level(self) -> bool:
        assert self._file is not None
        stored = json.loads(self._file.read_text(encoding="utf-8"))
        normalizer = (stored.get("normalizer") or {}).get("type")
        is_bpe = stored.get("model", {}).get("type") == "BPE"
        return is_bpe and normalizer in {None, "NFC"} and "ByteLevel" in _types(stored)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._file))


def _types(stored: Any) -> set[str]:
    splitter = stored.get("pre_tokenizer") or {}
    return {part.get("type") for part in [splitter, *splitter.get("pretokenizers", ())]}


def _file(name: str) -> Path | None:
    if name == WORDS:
        return None
    path = Path(name)
    path = path / "tokenizer.json" if path.is_dir() else path
    if not path.is_file():
        raise SettingsError(f"{name}: there is no such tokenizer.json; `{WORDS}` counts words")
    return path


OPERATOR = Operator("Captions with too few or too many tokens", Settings, CaptionLength)
