"""Rows as imaging records: a picture with labels, boxes and masks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import Box, Imaging, Mask, RecordBase
from lingshu_data.boxes import boxes_of
from lingshu_data.intake import Intake
from lingshu_data.labelling import Labelling
from lingshu_data.pictures import encode, open_header, stretch
from lingshu_data.reader import Row


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Makes an imaging record of a row with one picture.

    Texts in braces are filled in from the row: `{Image Index}`.
    """

    modality: Modality
    picture: str = "{path}"
    """Where the picture lies; with `|` between several places, the first that is there."""
    organ: str | None = None
    """The organ, or a text with braces."""
    labels: Labelling | None = None
    objects: Callable[[Row], Iterable[Box | None]] | None = None
    """Boxes; None stands for one without area, which is counted."""
    masks: Mapping[str, str] = field(default_factory=dict)
    """What the values of the masks in the column `masks` stand for; `*` for any but 0. Values of
    six hexadecimal digits are colours."""
    fit_masks: bool = False
    """Whether masks of another size are scaled to the picture's."""
    view: str | None = None
    sequence: str | None = None
    group: str | None = None
    """Text with braces of what must stay together; the picture where None."""
    split: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Name in the record, and column."""
    tags: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, row: Row, intake: Intake) -> Iterator[RecordBase]:
        """Yields the record."""
        places = [row.filled(place) for place in self.picture.split("|")]
        path = intake.path(*(place for place in places if place))
        image = intake.picture(path.read_bytes())
        labels = self.labels(row) if self.labels else {}
        masks, boxes = self._masks(row, intake, (image.width, image.height))
        boxes += self._boxes(row, intake)
        yield intake.make(
            Imaging,
            path.name,
            split=row.filled(self.split) or row.maybe("split"),
            group=intake.group(row.filled(self.group) or image.sha256),
            modality=self.modality,
            images=(image,),
            organ=row.filled(self.organ),
            view=row.filled(self.view),
            sequence=row.filled(self.sequence),
            labels=labels,
            boxes=tuple(boxes),
            masks=masks,
            metadata={n: v for n, c in self.metadata.items() if (v := row.maybe(c)) is not None},
            tags={name: said for name, text in self.tags.items() if (said := row.filled(text))},
        )

    def _boxes(self, row: Row, intake: Intake) -> list[Box]:
        found = []
        for box in self.objects(row) if self.objects else ():
            if box is None:
                intake.note("box without area")
            else:
                found.append(box)
        return found

    def _masks(
        self, row: Row, intake: Intake, size: tuple[int, int]
    ) -> tuple[tuple[Mask, ...], list[Box]]:
        masks: list[Mask] = []
        boxes: list[Box] = []
        for name in row.values.get("masks", ()) if self.masks else ():
            mask = _opened(intake, name)
            if mask.size != size:
                if not self.fit_masks:
                    raise DataError(f"the mask is {mask.size} and the picture {size}")
                mask = mask.resize(size, Pillow.Resampling.NEAREST)
            values, labels = _labelled(mask, self.masks)
            if not labels:
                intake.note("mask without a region")
                continue
            stored = encode(Pillow.fromarray(values))
            ref = intake.file(stored.data, suffix=".png")
            masks.append(Mask(path=ref.path, sha256=ref.sha256, labels=labels))
            boxes += boxes_of(values, labels)
        return tuple(masks), boxes


@dataclass(frozen=True, kw_only=True)
class ArrayPictures:
    """Makes an imaging record of a row whose picture is an array of numbers."""

    modality: Modality
    organ: str | None = None
    labels: Labelling | None = None
    layers: tuple[str, ...] = ()
    """What the first layers of the array in the column `nuclei` outline, a layer each."""

    def __call__(self, row: Row, intake: Intake) -> Iterator[RecordBase]:
        """Yields the record."""
        pixels: np.ndarray = row.values["pixels"]
        is_wide = pixels.dtype != np.uint8
        values = stretch(pixels, 0, 255) if is_wide and pixels.max() <= 255 else pixels
        picture = Pillow.fromarray(stretch(values) if values.dtype != np.uint8 else values)
        image = intake.picture(encode(picture))
        labels = self.labels(row) if self.labels else {}
        masks, boxes = [], []
        if self.layers:
            merged = np.zeros(pixels.shape[:2], np.uint8)
            for number, _ in enumerate(self.layers):
                merged[row.values["nuclei"][..., number] > 0] = number + 1
            names = _mask_labels(merged, {str(n): name for n, name in enumerate(self.layers, 1)})
            labels |= {
                name: "present" if name in names.values() else "absent" for name in self.layers
            }
            if names:
                stored = intake.file(encode(Pillow.fromarray(merged)).data, suffix=".png")
                masks.append(Mask(path=stored.path, sha256=stored.sha256, labels=names))
                boxes = list(boxes_of(merged, names))
        yield intake.make(
            Imaging,
            str(row.values["index"]),
            split=row.maybe("split"),
            group=intake.group(image.sha256),
            modality=self.modality,
            images=(image,),
            organ=(row.filled(self.organ) or "").lower() or None,
            labels=labels,
            boxes=tuple(boxes),
            masks=tuple(masks),
        )


def _opened(intake: Intake, name: str) -> Pillow.Image:
    """Returns a mask picture, decoded and with its values as they are."""
    image = open_header(intake.path(name))
    try:
        image.load()
    except Exception as error:
        image.close()
        raise DataError(f"the mask is damaged: {error}") from None
    return image


def _labelled(mask: Pillow.Image, names: Mapping[str, str]) -> tuple[np.ndarray, dict[str, str]]:
    """Returns a mask as numbers, uint8 (height, width), and what those that occur stand for."""
    if all(len(value) == 6 for value in names):
        pixels = np.asarray(mask.convert("RGB")).astype(int)
        colours = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
        values = np.zeros(colours.shape, np.uint8)
        for number, colour in enumerate(names, 1):
            values[colours == int(colour, 16)] = number
        return values, _mask_labels(
            values, {str(n): name for n, name in enumerate(names.values(), 1)}
        )
    plain = mask if mask.mode in {"1", "L", "P", "I;16"} else mask.convert("L")
    values = np.asarray(plain).astype(np.uint8)
    return values, _mask_labels(values, names)


def _mask_labels(values: np.ndarray, names: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for value in np.unique(values):
        name = names.get(str(int(value)), names.get("*"))
        if int(value) != 0 and name is not None:
            found[str(int(value))] = name
    return found
