"""Series and volumes as imaging records: the whole, and some of its slices as pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image as Pillow
from pydantic import Field

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import Imaging, Mask, RecordBase, Volume
from lingshu_data import dicom
from lingshu_data.boxes import boxes_of
from lingshu_data.intake import Intake
from lingshu_data.labelling import Labelling, Labels
from lingshu_data.pictures import encode
from lingshu_data.reader import Row
from lingshu_data.source import SourceSettings
from lingshu_data.volumes import (
    Voxels,
    as_seen,
    chosen_slices,
    read_volume,
    slice_picture,
    values_of,
    window_of,
)


class SliceSettings(SourceSettings):
    """What can be set for volumes and series."""

    slices: int = Field(default=8, ge=0)
    """Most slices of a volume or series that become pictures."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Makes imaging records of a DICOM series: a record for each of some slices or frames."""

    organ: str | None = None
    labels: Labelling | None = None
    split: str | None = None

    def __call__(self, row: Row, intake: Intake) -> Iterator[RecordBase]:
        """Yields the records."""
        files: list[str] = row.values["files"]
        volume = intake.group(row.text("series"))
        count = int(row.maybe("NumberOfFrames") or 1)
        total = len(files) * count
        wanted = set(chosen_slices(None, total, intake.settings.slices)) if total > 1 else {0}
        for number, name in enumerate(files):
            if not wanted & set(range(number * count, (number + 1) * count)):
                continue
            for frame, picture in enumerate(dicom.frames(intake.path(name))):
                place = number * count + frame
                if place in wanted or total == 1:
                    yield self._record(row, intake, picture, (volume, place, total, count > 1))

    def _record(
        self, row: Row, intake: Intake, picture: Pillow.Image, where: tuple[str, int, int, bool]
    ) -> Imaging:
        volume, place, total, is_frame = where
        at: dict[str, Any] = {}
        if total > 1:
            at = {"volume": volume, "frame" if is_frame else "slice": place}
        kind = row.maybe("Modality") or ""
        side = {"L": "left", "R": "right", "B": "bilateral"}
        laterality = row.maybe("ImageLaterality") or row.maybe("Laterality") or ""
        if (row.maybe("BurnedInAnnotation") or "").upper() == "YES":
            intake.note("text burned into the picture, as its header says")
        return intake.make(
            Imaging,
            str(place),
            split=self.split,
            group=volume,
            modality=dicom.MODALITIES.get(kind, Modality.UNKNOWN),
            images=(intake.picture(encode(picture), **at),),
            organ=self.organ or (row.maybe("BodyPartExamined") or "").lower() or None,
            view=row.maybe("ViewPosition"),
            laterality=side.get(laterality.upper()),
            labels=self.labels(row) if self.labels else {},
            metadata={
                name: value
                for name, column in (
                    ("dicom_modality", "Modality"),
                    ("kvp", "KVP"),
                    ("slice_thickness", "SliceThickness"),
                )
                if (value := row.maybe(column)) is not None
            },
        )


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """Makes imaging records of a volume: one of the whole, and one for each of some slices."""

    modality: Modality
    organ: str | None = None
    labels: Labelling | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    """What the values of the label volumes stand for."""
    window: tuple[float, float] | None = None
    """What becomes black and white, in the unit of the file; percentiles where None."""
    sequence: str | None = None
    group: str | None = None
    split: str | None = None

    def __call__(self, row: Row, intake: Intake) -> Iterator[RecordBase]:
        """Yields the records."""
        voxels = read_volume(intake.path(row.text("path")))
        if voxels.parts > 1:
            intake.note(f"volume in {voxels.parts} parts, of which the first is read")
        ref = intake.file(voxels.stored(), suffix=".nii.gz")
        group = intake.group(row.filled(self.group) or ref.sha256)
        mask, stored = self._mask(row, intake, voxels)
        labels = self.labels(row) if self.labels else {}
        common: dict[str, Any] = {
            "split": row.filled(self.split) or row.maybe("split"),
            "group": group,
            "modality": self.modality,
            "organ": row.filled(self.organ),
            "sequence": row.filled(self.sequence),
        }
        present = (
            {name: "present" for _, name in values_of(mask, self.names)} if mask is not None else {}
        )
        yield intake.make(
            Imaging,
            row.text("path"),
            **common,
            labels={**present, **labels},
            volume=Volume(
                path=ref.path,
                sha256=ref.sha256,
                shape=voxels.shape,
                spacing=voxels.spacing,
                orientation=voxels.orientation,
            ),
            masks=stored,
        )
        yield from self._slices(row, intake, voxels, mask, {**common, "labels": labels})

    def _mask(
        self, row: Row, intake: Intake, voxels: Voxels
    ) -> tuple[np.ndarray | None, tuple[Mask, ...]]:
        """Returns the label volume, turned to the canonical axes, and the stored ones."""
        merged: np.ndarray | None = None
        stored = []
        for name in row.values.get("masks", ()):
            labels = read_volume(intake.path(name))
            if labels.shape != voxels.shape:
                raise DataError(f"the mask has shape {labels.shape}, the volume {voxels.shape}")
            values = labels.canonical().astype(np.int16)
            names = {str(value): said for value, said in values_of(values, self.names)}
            ref = intake.file(labels.stored(), suffix=".nii.gz")
            stored.append(Mask(path=ref.path, sha256=ref.sha256, labels=names))
            merged = values if merged is None else np.where(values != 0, values, merged)
        return merged, tuple(stored)

    def _slices(
        self,
        row: Row,
        intake: Intake,
        voxels: Voxels,
        mask: np.ndarray | None,
        common: Mapping[str, Any],
    ) -> Iterator[RecordBase]:
        values = voxels.canonical()
        window = self.window or window_of(values)
        for place in chosen_slices(mask, values.shape[2], intake.settings.slices):
            picture = encode(slice_picture(values, place, window))
            image = intake.picture(picture, slice=place, volume=common["group"])
            fields = dict(common)
            if mask is not None:
                fields |= self._marked(intake, as_seen(mask, place), common["labels"])
            yield intake.make(
                Imaging, row.text("path"), str(place), view="axial", images=(image,), **fields
            )

    def _marked(self, intake: Intake, mask: np.ndarray, labels: Labels) -> dict[str, Any]:
        names = {str(value): name for value, name in values_of(mask, self.names)}
        if not names:
            return {}
        stored = encode(Pillow.fromarray(mask.astype(np.uint8)))
        ref = intake.file(stored.data, suffix=".png")
        return {
            "labels": {**dict.fromkeys(names.values(), "present"), **labels},
            "boxes": boxes_of(mask, names),
            "masks": (Mask(path=ref.path, sha256=ref.sha256, labels=names),),
        }
