"""Records as two-dimensional views with boxes: what generators that look at pictures work on."""

from collections.abc import Iterator

from lingshu_core.manifest import Manifest
from lingshu_core.records import Box, Imaging, Record
from lingshu_synth.call import pictures_of
from lingshu_synth.generator import Item
from lingshu_synth.naming import is_name
from lingshu_synth.settings import RegionSettings


def views(record: Record, manifest: Manifest, settings: RegionSettings) -> Iterator[Item]:
    """Yields the views of a record.

    A picture gives one, with its boxes and the boxes around the parts of its masks. A volume
    gives one for each slice that is chosen. Labels that name nothing are left out: their regions
    are shown all the same, and not spoken of.

    Raises:
        DataError: A volume or mask is missing, broken, or of another shape than the record says.
    """
    if not isinstance(record, Imaging):
        yield Item(record, pictures_of(record))
        return
    record = _named(record)
    if record.volume is None and not record.masks:
        yield Item(record, pictures_of(record), largest_first(record.boxes))
        return
    # They bring numpy and the readers of volumes, which most runs can do without.
    from lingshu_synth.regions import marked_views

    yield from marked_views(record, manifest, settings)


def _named(record: Imaging) -> Imaging:
    labels = {name: state for name, state in record.labels.items() if is_name(name)}
    boxes = tuple(
        box if box.label is None or is_name(box.label) else box.model_copy(update={"label": None})
        for box in record.boxes
    )
    if labels == record.labels and boxes == record.boxes:
        return record
    return record.replace(labels=labels, boxes=boxes)


def largest_first(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Returns boxes by area, the largest first, in a fixed order."""
    return tuple(sorted(boxes, key=lambda b: (-b.width * b.height, b.y, b.x, b.label or "")))
