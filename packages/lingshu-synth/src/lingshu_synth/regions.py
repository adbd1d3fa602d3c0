"""Regions of interest (paper, section 2.2.1, stage 2): masks as boxes, volumes as chosen slices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Box, Imaging, Mask, Presence
from lingshu_core.records import Volume as VolumeRef
from lingshu_synth.call import Shot, pictures_of
from lingshu_synth.generator import Item
from lingshu_synth.naming import is_name, readable
from lingshu_synth.overlay import scaled
from lingshu_synth.settings import RegionSettings
from lingshu_synth.views import largest_first
from lingshu_synth.volumes import Volume, load_volume, marked_area, window_of

_SAME = 0.8
"""Share of their area that two boxes of one label have in common when they mean one region."""


def marked_views(record: Imaging, manifest: Manifest, settings: RegionSettings) -> Iterator[Item]:
    """Yields the views of a record with masks or with a volume; see `views.views`."""
    if record.volume is None:
        yield _picture(record, manifest, settings)
    else:
        yield from _slices(record, record.volume, manifest, settings)


def boxes_of(
    plane: NDArray[Any], labels: dict[str, str], settings: RegionSettings
) -> tuple[Box, ...]:
    """Returns the smallest upright rectangle around every connected part of a mask.

    Args:
        plane: Values of the mask, `[y, x]`.
        labels: What the values stand for; other values are background.
        settings: From which size on, and how many.

    Returns:
        The largest parts, each box in pixels, its right and lower edge just past the part. The
        box has no label where that of the mask names nothing.
    """
    least = settings.least_share * plane.size
    found = [
        (area, box)
        for value, label in labels.items()
        for area, box in _parts(plane == int(value), label)
        if area >= least
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1].y, pair[1].x))
    return tuple(box for _, box in found[: settings.most])


def chosen_slices(area: NDArray[np.int64], settings: RegionSettings) -> list[tuple[int, str]]:
    """Returns which slices are shown, and why, from the marked area of each.

    First those with the largest area, then some evenly spaced through the marked slices; where
    nothing is marked, evenly through the middle four fifths.
    """
    marked = np.flatnonzero(area)
    chosen: dict[int, str] = {}
    if marked.size:
        order = sorted(marked, key=lambda z: (-area[z], z))
        for z in order[: settings.largest]:
            chosen[int(z)] = f"largest marked area, {int(area[z])} voxels"
        places = [marked[int(i)] for i in _spread(len(marked), settings.spaced)]
    else:
        edge = len(area) // 10
        inner = np.arange(edge, len(area) - edge)
        places = [inner[int(i)] for i in _spread(len(inner), settings.largest + settings.spaced)]
    for z in places:
        chosen.setdefault(int(z), "evenly spaced")
    return sorted(chosen.items())


def _spread(length: int, count: int) -> list[int]:
    return [int((number + 0.5) * length / count) for number in range(min(count, length))]


def _picture(record: Imaging, manifest: Manifest, settings: RegionSettings) -> Item:
    boxes = list(record.boxes)
    image = record.images[0]
    for mask in record.masks:
        plane = _plane(manifest.file(mask, record=record.id))
        if plane.shape != (image.height, image.width):
            raise DataError(
                f"the mask has {plane.shape[1]} x {plane.shape[0]} pixels and the picture "
                f"{image.width} x {image.height}",
                record=record.id,
            )
        boxes += _unknown(boxes_of(plane, mask.labels, settings), boxes)
    return Item(record, pictures_of(record), largest_first(tuple(boxes))[: settings.most])


def _slices(
    record: Imaging, ref: VolumeRef, manifest: Manifest, settings: RegionSettings
) -> Iterator[Item]:
    volume = load_volume(manifest.file(ref, record=record.id))
    masks = [(_mask(mask, manifest, record, volume), mask.labels) for mask in record.masks]
    boxes = [box for box in (_upright(box, ref) for box in record.boxes) if box is not None]
    area = np.zeros(volume.values.shape[0], dtype=np.int64)
    for mask, labels in masks:
        area += marked_area(mask, map(int, labels))
    for box in boxes:
        if box.slice is not None and box.slice < len(area):
            area[box.slice] += max(1, int(box.width * box.height))
    window = window_of(volume, record.modality, record.organ)
    width, height = volume.drawn_size
    for z, why in chosen_slices(area, settings):
        found = [box for box in boxes if box.slice == z]
        for mask, labels in masks:
            found += _unknown(boxes_of(mask.values[z], labels, settings), found)
        scale = (width / volume.values.shape[2], height / volume.values.shape[1])
        drawn = largest_first(tuple(scaled(box, *scale) for box in found))
        shot = Shot(ref, width, height, slice=z, window=window)
        shown = record.replace(labels=_seen(record, drawn))
        yield Item(shown, (shot,), drawn[: settings.most], view=f"z{z}", why=why)


def _unknown(found: tuple[Box, ...], known: list[Box]) -> list[Box]:
    """Returns the boxes that are not known already: many datasets bring masks and their boxes."""
    return [box for box in found if not any(_same_place(box, other) for other in known)]


def _same_place(one: Box, other: Box) -> bool:
    if readable(one.label or "") != readable(other.label or ""):
        return False
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    either = one.width * one.height + other.width * other.height - shared
    return shared > _SAME * either


def _parts(marked: NDArray[np.bool_], label: str) -> Iterator[tuple[int, Box]]:
    """Yields the area in pixels and the box of every connected part; corners connect."""
    if not marked.any():
        return
    import SimpleITK

    itk: Any = SimpleITK  # its own annotations are incomplete
    parts = itk.ConnectedComponent(itk.GetImageFromArray(marked.astype(np.uint8)), True)
    shapes = itk.LabelShapeStatisticsImageFilter()
    shapes.Execute(parts)
    for number in shapes.GetLabels():
        x, y, width, height = shapes.GetBoundingBox(number)
        yield (
            shapes.GetNumberOfPixels(number),
            Box(x=x, y=y, width=width, height=height, label=label if is_name(label) else None),
        )


def _seen(record: Imaging, boxes: tuple[Box, ...]) -> dict[str, Presence]:
    """Returns what the labels of a volume say about one of its slices.

    A finding that is marked is there where its mark is. One that is not marked may lie in another
    slice.
    """
    marked = {readable(label) for mask in record.masks for label in mask.labels.values()}
    shown = {readable(box.label) for box in boxes if box.label}
    states: dict[str, Presence] = {}
    for label, state in record.labels.items():
        name = readable(label)
        if state == "present" and name not in shown:
            state = "absent" if name in marked else "uncertain"
        states[label] = state
    return states


def _mask(mask: Mask, manifest: Manifest, record: Imaging, volume: Volume) -> Volume:
    found = load_volume(manifest.file(mask, record=record.id))
    if found.values.shape != volume.values.shape:
        raise DataError(
            f"the mask has the shape {found.values.shape} and the volume {volume.values.shape}",
            record=record.id,
        )
    return found


def _plane(path: Path) -> NDArray[Any]:
    """Returns a mask picture as values, `[y, x]`; colours of a palette count as their numbers."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode not in {"1", "L", "P", "I", "I;16"}:
                raise DataError(f"is of mode {image.mode}: a mask has one value a pixel", path=path)
            return np.asarray(image).astype(np.int64)
    except OSError as error:
        raise DataError(f"cannot be read as a picture ({error})", path=path) from None


def _upright(box: Box, ref: VolumeRef) -> Box | None:
    """Returns a box in the volume's own axes as it lies in an upright slice.

    None where the volume's slices are not cut across the body.
    """
    if box.slice is None or ref.orientation[2] not in "SI":
        return None
    x, y, width, height = box.x, box.y, box.width, box.height
    first, second = ref.orientation[0], ref.orientation[1]
    columns, rows = ref.shape[0], ref.shape[1]
    if first in "RA":
        x = columns - x - width
    if second in "RA":
        y = rows - y - height
    if first in "AP":
        x, y, width, height = y, x, height, width
    z = box.slice if ref.orientation[2] == "S" else ref.shape[2] - 1 - box.slice
    return Box(x=x, y=y, width=width, height=height, label=box.label, slice=z)
