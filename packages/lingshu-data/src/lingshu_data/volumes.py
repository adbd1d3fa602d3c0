"""NIfTI and NRRD volumes: stored without what their headers say of people, and cut into slices."""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_data.pictures import stretch

_PERCENTILES = (0.5, 99.5)
_LEVEL = 4


@dataclass(frozen=True)
class Voxels:
    """A volume in memory."""

    image: Any
    """nibabel's image: three-dimensional, as its publisher turned it."""
    parts: int
    """How many volumes the file held; this is the first."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along x, y, z as they are stored."""
        x, y, z = self.image.shape
        return int(x), int(y), int(z)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between voxels along x, y, z."""
        x, y, z = (round(float(zoom), 6) for zoom in self.image.header.get_zooms()[:3])
        return x, y, z

    @property
    def orientation(self) -> str:
        """Where the axes point: `RAS`."""
        return "".join(_module("nibabel").aff2axcodes(self.image.affine))

    def canonical(self) -> np.ndarray:
        """Returns the values (x, y, z) with the axes to the right, to the front, upwards."""
        return np.asarray(_module("nibabel").as_closest_canonical(self.image).dataobj)

    def stored(self) -> bytes:
        """Returns a `.nii.gz` with values, spacing and orientation and no other header text."""
        clean = _module("nibabel").Nifti1Image(np.asarray(self.image.dataobj), self.image.affine)
        clean.header.set_xyzt_units("mm")
        return gzip.compress(clean.to_bytes(), compresslevel=_LEVEL, mtime=0)


def read_volume(path: Path) -> Voxels:
    """Reads a volume; DataError where it is none or is damaged."""
    try:
        image = _nrrd(path) if path.suffix == ".nrrd" else _nifti(path)
        data = np.asarray(image.dataobj)
    except Exception as error:
        # Readers of both kinds raise whatever the damage leads to.
        raise DataError(f"the volume cannot be read: {str(error).splitlines()[0]}") from None
    if data.ndim < 3 or data.dtype.kind not in "iufb":
        raise DataError(f"the file has shape {data.shape} of {data.dtype}, which is no volume")
    first = data.reshape(*data.shape[:3], -1)[..., 0]
    if first.dtype == bool:
        first = first.astype(np.uint8)
    if first.dtype.itemsize == 8 and first.dtype.kind in "iu":
        first = first.astype(np.int32)
    parts = int(np.prod(data.shape[3:], dtype=int))
    return Voxels(_module("nibabel").Nifti1Image(first, image.affine), parts)


def slice_picture(values: np.ndarray, index: int, window: tuple[float, float]) -> Pillow.Image:
    """Returns an axial slice as radiologists look at it: from below, the front above.

    Args:
        values: Of `Voxels.canonical`.
        index: Place along z, from below.
        window: What becomes black and white.
    """
    return Pillow.fromarray(stretch(as_seen(values, index), *window))


def as_seen(values: np.ndarray, index: int) -> np.ndarray:
    """Returns an axial slice (height, width) with the patient's right on the left side."""
    return np.ascontiguousarray(values[::-1, ::-1, index].T)


def window_of(values: np.ndarray) -> tuple[float, float]:
    """Returns the window that leaves out the darkest and brightest of a volume."""
    low, high = np.percentile(values[np.isfinite(values)], _PERCENTILES)
    return float(low), float(high)


def chosen_slices(mask: np.ndarray | None, depth: int, count: int) -> list[int]:
    """Returns places along z, evenly over what is annotated, else over the middle.

    Args:
        mask: Label volume (x, y, z), or None where there is none.
        depth: Slices of the volume.
        count: How many are wanted at most.
    """
    places = np.arange(depth)
    if mask is not None and mask.any():
        places = np.flatnonzero(mask.any(axis=(0, 1)))
    elif depth > count:
        places = places[depth // 10 : depth - depth // 10]
    if len(places) <= count:
        return [int(place) for place in places]
    steps = (np.arange(count) + 0.5) * len(places) / count
    return [int(places[int(step)]) for step in steps]


def values_of(mask: np.ndarray, names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Yields the values that stand in a label volume, with their names."""
    for value in np.unique(mask):
        if int(value) != 0:
            yield int(value), names.get(int(value), f"label {int(value)}")


def _nifti(path: Path) -> Any:
    return _module("nibabel").load(path)


def _nrrd(path: Path) -> Any:
    """Reads an NRRD file; ITK has the axes to the left and back where NIfTI has right and front."""
    image = _module("SimpleITK").ReadImage(str(path))
    if image.GetDimension() != 3:
        raise ValueError(f"it has {image.GetDimension()} dimensions")
    flip = np.diag([-1.0, -1.0, 1.0])
    turn = np.array(image.GetDirection()).reshape(3, 3)
    affine = np.eye(4)
    affine[:3, :3] = flip @ turn @ np.diag(image.GetSpacing())
    affine[:3, 3] = flip @ np.array(image.GetOrigin())
    return _module("nibabel").Nifti1Image(_module("SimpleITK").GetArrayFromImage(image).T, affine)


def _module(name: str) -> Any:
    """Imports a library when it is needed; neither of the two has types."""
    return import_module(name)
