"""Drops records with a picture that is too small, cannot be read, is blank, or is a bomb.

The paper removes pictures with a side under 64 pixels (section 2.1.4). The header is read first:
what is too small is never decoded.
"""

from pydantic import Field

from lingshu_core.records import RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item, Local, Operator, Policy
from lingshu_data.pictures import Unreadable


class Settings(Policy):
    """When a picture is of no use."""

    operator: str = "picture-filter"
    least_side: int = Field(default=64, ge=1)
    """Either side, in pixels."""
    blank: int = Field(default=2, ge=0, le=255)
    """Greatest spread of grey levels (0 to 255) at which a picture is blank."""


class PictureFilter(Local):
    """Judges a record by its pictures."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record, or the first fault of its pictures."""
        least = self._settings.least_side
        try:
            looks = item.looks.of(item.record)
            side = min((min(look.size) for look in looks), default=least)
            if side < least:
                return Drop(f"smaller than {least} px", value=side)
            if any(look.is_blank(self._settings.blank) for look in looks):
                return Drop("blank")
        except Unreadable as error:
            return Drop(error.reason)
        return item.record


OPERATOR = Operator("Pictures too small, unreadable, blank, bombs", Settings, PictureFilter)
