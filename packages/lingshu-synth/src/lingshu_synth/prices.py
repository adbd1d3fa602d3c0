"""What calls cost, and how many tokens they are before anybody has counted them."""

import math
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import Recipe, check
from lingshu_synth.call import Call, Shot

_LATIN = 4.0
"""Letters in a token of English text, about."""
_OTHER = 1.3
"""Letters in a token of Chinese, Japanese or Korean text, about."""
_PER_MESSAGE = 4
_LOW_DETAIL = 512


class Price(Recipe):
    """What one model costs."""

    prompt: float = Field(ge=0)
    """US dollars for a million tokens of the prompt."""
    reply: float = Field(ge=0)
    """US dollars for a million tokens of the reply."""
    batch: float = Field(default=1.0, gt=0, le=1)
    """Share of the price that calls through the Batch API cost."""
    picture: Literal["tiles", "patches", "area", "fixed"] = "tiles"
    picture_tokens: int = 0
    picture_base: int = 85
    picture_tile: int = 170

    def usd(self, prompt_tokens: float, reply_tokens: float, *, batch: bool = False) -> float:
        """Returns US dollars."""
        full = (prompt_tokens * self.prompt + reply_tokens * self.reply) / 1e6
        return full * self.batch if batch else full


class _Table(Recipe):
    models: dict[str, Price]


@cache
def load_prices(own: str | None = None) -> dict[str, Price]:
    """Returns the price of every model that is known, by name.

    Args:
        own: The user's table, whose models are added to those of the package or replace them.

    Raises:
        SettingsError: The table is broken.
    """
    table = _read(files("lingshu_synth").joinpath("prices.toml").read_text(encoding="utf-8"), "")
    if own is None:
        return table
    try:
        text = Path(own).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{own}: the prices cannot be read ({error})") from None
    return table | _read(text, own)


def _read(text: str, where: str) -> dict[str, Price]:
    try:
        return check(_Table, tomllib.loads(text), where=where).models
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: the prices are not TOML: {error}") from None


def price_of(model: str, prices: dict[str, Price]) -> Price | None:
    """Returns the price of a model; a dated name (`gpt-4o-2024-08-06`) has its family's."""
    name = model.rpartition("/")[2]
    families = [known for known in prices if name == known or name.startswith(f"{known}-20")]
    return prices[max(families, key=len)] if families else None


def prompt_tokens(call: Call, price: Price | None) -> int:
    """Returns about how many tokens a prompt has; right to a tenth or so for English text."""
    total = 0
    for message in call.messages:
        total += _PER_MESSAGE
        for piece in message.pieces:
            if isinstance(piece, str):
                total += text_tokens(piece)
            else:
                total += _picture_tokens(piece, call, price)
    return total


def text_tokens(text: str) -> int:
    """Returns about how many tokens a text has."""
    if text.isascii():
        return math.ceil(len(text) / _LATIN)
    wide = sum(1 for letter in text if ord(letter) >= 0x2E80)
    return math.ceil((len(text) - wide) / _LATIN + wide / _OTHER)


def _picture_tokens(shot: Shot, call: Call, price: Price | None) -> int:
    scale = min(1.0, call.pictures.longest / max(shot.width, shot.height))
    width, height = max(1.0, shot.width * scale), max(1.0, shot.height * scale)
    rule = price.picture if price else "patches"
    if rule == "fixed" and price:
        return price.picture_tokens
    if rule == "patches":
        return math.ceil(width / 28) * math.ceil(height / 28)
    if rule == "area":
        return math.ceil(width * height / 750)
    base, tile = (price.picture_base, price.picture_tile) if price else (85, 170)
    return _tiles(width, height, call.pictures.detail == "low", base, tile)


def _tiles(width: float, height: float, low: bool, base: int, tile: int) -> int:
    if low:
        return base
    inside = min(1.0, 2048 / max(width, height))
    width, height = width * inside, height * inside
    shorter = min(1.0, 768 / min(width, height))
    width, height = width * shorter, height * shorter
    return base + tile * math.ceil(width / _LOW_DETAIL) * math.ceil(height / _LOW_DETAIL)
