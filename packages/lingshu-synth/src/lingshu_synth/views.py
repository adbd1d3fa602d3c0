"""Records as two-dimensional views with boxes: what generators that look at pictures work on."""

from collections.abc import Iterator

from lingshu_core.manifest import Manifest
from lingshu_core.records import Box, Imaging, Record
from lingshu_synth.call import pictures_of
from lingshu_synth.generator import Item
from lingshu_synth.settings import RegionSettings


def views(record: Record, manifest: Manifest, settings: RegionSettings) -> Iterator[Item]:
    """Yields the views of a record.

    A picture gives one, with its boxes and the boxes around the parts of its masks. A volume
    gives one for each slice that is chosen.

    Raises:
        DataError: A volume or mask is missing, broken, or of another shape than the record says.
    """
    if not isinstance(record, Imaging):
        yield Item(record, pictures_of(record))
        return
    if record.volume is None and not record.masks:
        yield Item(record, pictures_of(record), largest_first(record.boxes))
        return
    # They bring numpy and the readers of volumes, which most runs can do without.
    from lingshu_synth.regions import marked_views

    yield from marked_views(record, manifest, settings)


def largest_first(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Returns boxes by area, the largest first, in a fixed order."""
    return tuple(sorted(boxes, key=lambda b: (-b.width * b.height, b.y, b.x, b.label or "")))
