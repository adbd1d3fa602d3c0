"""Volumes and masks as arrays that are the right way up: slices from feet to head.

Whatever the file says, arrays come as `[z, y, x]` with z towards the head, y towards the back and
x towards the patient's left: a slice is then what a radiologist looks at, the front above and the
patient's right side on the left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality

_LEAST_SIDE = 256
"""Pixels of the longer side at least: volumes made for segmentation are often coarser."""

_CT_WINDOWS = {
    "lung": (-1350.0, 150.0),
    "chest": (-1350.0, 150.0),
    "bone": (-500.0, 1300.0),
    "brain": (0.0, 80.0),
    "head": (0.0, 80.0),
}
_SOFT_TISSUE = (-160.0, 240.0)
_AIR = -200


@dataclass(frozen=True)
class Volume:
    """Values of a volume and the size of its voxels."""

    values: NDArray[Any]
    """`[z, y, x]`, in the file's own type."""
    spacing: tuple[float, float, float]
    """Millimetres along z, y, x."""

    @property
    def drawn_size(self) -> tuple[int, int]:
        """Width and height in pixels of a slice as it is drawn: square pixels, not too small."""
        _, height, width = self.values.shape
        _, across, along = self.spacing
        fine = min(across, along)
        wide, high = width * along / fine, height * across / fine
        scale = max(1.0, _LEAST_SIDE / max(wide, high))
        return max(1, round(wide * scale)), max(1, round(high * scale))


@lru_cache(maxsize=4)
def load_volume(path: Path) -> Volume:
    """Reads a NIfTI, NRRD or MetaImage file; the last four that were read are kept.

    Raises:
        DataError: The file cannot be read as a volume of three dimensions.
    """
    try:
        volume = _nifti(path) if _is_nifti(path) else _itk(path)
    except DataError:
        raise
    # The readers raise almost anything on broken files.
    except Exception as error:
        raise DataError(f"cannot be read as a volume ({error})", path=path) from None
    if volume.values.ndim != 3 or 0 in volume.values.shape:
        raise DataError(f"has the shape {volume.values.shape}, not three dimensions", path=path)
    return volume


def window_of(volume: Volume, modality: Modality, organ: str | None) -> tuple[float, float]:
    """Returns the values that are shown black and white.

    CT in Hounsfield units has the window of the organ; everything else the 1st to the 99th
    percentile of the whole volume, so that its slices can be compared.
    """
    if modality == Modality.CT and volume.values.min() < _AIR:
        words = (organ or "").lower()
        return next((w for name, w in _CT_WINDOWS.items() if name in words), _SOFT_TISSUE)
    # Every third voxel each way is enough, and nine times ten faster.
    low, high = np.percentile(volume.values[::3, ::3, ::3], (1, 99))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def slice_bytes(
    volume: Volume, z: int, window: tuple[float, float]
) -> tuple[bytes, tuple[int, int]]:
    """Returns one slice in 8 bits, row by row, and its width and height in voxels."""
    low, high = window
    plane = volume.values[z].astype(np.float32)
    scaled = np.clip((plane - low) / (high - low), 0.0, 1.0)
    grey = np.ascontiguousarray(np.rint(scaled * 255).astype(np.uint8))
    return grey.tobytes(), (plane.shape[1], plane.shape[0])


def marked_area(mask: Volume, values: Iterable[int]) -> NDArray[np.int64]:
    """Returns for every slice how many voxels have one of the values."""
    marked = np.isin(mask.values, list(values))
    return np.asarray(np.count_nonzero(marked, axis=(1, 2)), dtype=np.int64)


def _is_nifti(path: Path) -> bool:
    return path.name.endswith((".nii", ".nii.gz", ".mgz", ".mgh"))


def _nifti(path: Path) -> Volume:
    import nibabel

    tools: Any = nibabel  # its own annotations are incomplete
    image = tools.as_closest_canonical(tools.load(path))
    values = np.asanyarray(image.dataobj)
    if values.ndim == 4 and values.shape[3] >= 1:
        values = values[..., 0]
    along, across, up = (float(size) for size in image.header.get_zooms()[:3])
    # From right-anterior-superior to left-posterior-superior, and the slices first.
    return Volume(values[::-1, ::-1, :].transpose(2, 1, 0), (up, across, along))


def _itk(path: Path) -> Volume:
    import SimpleITK

    itk: Any = SimpleITK  # its own annotations are incomplete
    image = itk.ReadImage(str(path))
    if image.GetDimension() != 3:
        raise DataError(f"has {image.GetDimension()} dimensions, not three", path=path)
    image = itk.DICOMOrient(image, "LPS")
    along, across, up = image.GetSpacing()
    return Volume(itk.GetArrayFromImage(image), (up, across, along))
