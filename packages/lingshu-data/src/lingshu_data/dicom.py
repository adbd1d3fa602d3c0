"""DICOM files as grey or colour pictures of 8 bits; nothing that names a patient is read on.

Pixels go through pydicom and its decoders (JPEG, JPEG-LS, JPEG 2000, RLE), then rescale, window or
percentiles, and MONOCHROME1 is turned so that dense tissue is bright everywhere.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_data.pictures import stretch

MODALITIES = {
    "CT": Modality.CT,
    "MR": Modality.MRI,
    "CR": Modality.XRAY,
    "DX": Modality.XRAY,
    "RG": Modality.XRAY,
    "IO": Modality.XRAY,
    "PX": Modality.XRAY,
    "RF": Modality.XRAY,
    "MG": Modality.MAMMOGRAPHY,
    "US": Modality.ULTRASOUND,
    "IVUS": Modality.ULTRASOUND,
    "XA": Modality.ANGIOGRAPHY,
    "PT": Modality.PET,
    "NM": Modality.OTHER,
    "OP": Modality.FUNDUS,
    "OPT": Modality.OCT,
    "ES": Modality.ENDOSCOPY,
    "SM": Modality.HISTOPATHOLOGY,
    "GM": Modality.MICROSCOPY,
    "XC": Modality.PHOTOGRAPH,
}
"""What a DICOM modality is among ours; others are unknown."""

ALLOWED = (
    "Modality", "BodyPartExamined", "ViewPosition", "Laterality", "ImageLaterality",
    "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "SliceThickness",
    "ScanningSequence", "MRAcquisitionType", "BurnedInAnnotation", "KVP",
)  # fmt: skip
"""The header's fields that are read on; an allow-list, since free text may name the patient."""

_ORDER = ("SeriesInstanceUID", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient")
_NO_PICTURES = {"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "SR", "ECG", "KO", "PR", "DOC"}
_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class Header:
    """What is read of a file without its pixels."""

    path: str
    series: str
    """Only to group files; it goes no further than a hash."""
    place: tuple[float, float]
    """Where it stands in its series: along the slices' normal, and by number."""
    fields: dict[str, str]
    """Of the allowed fields those that are there."""


def read_header(path: Path, name: str) -> Header:
    """Reads a header; DataError where the file is no DICOM picture."""
    dataset = _open(path, pixels=False)
    fields = {}
    for tag in ALLOWED:
        value = dataset.get(tag)
        if value is not None and str(value).strip():
            joined = "/".join(map(str, value)) if _is_several(value) else str(value)
            fields[tag] = joined.strip()
    series = str(dataset.get("SeriesInstanceUID") or name)
    return Header(name, series, _place(dataset), fields)


def frames(path: Path) -> Iterator[Pillow.Image]:
    """Yields the frames of a file as pictures of mode L or RGB, one at a time.

    Raises:
        DataError: It holds no picture, or pixels that no decoder reads.
    """
    dataset = _open(path, pixels=True)
    kind = str(dataset.get("Modality", ""))
    if kind in _NO_PICTURES or "PixelData" not in dataset:
        raise DataError(f"holds no picture but {kind or 'nothing known'}")
    from pydicom.pixels.utils import iter_pixels

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for pixels in iter_pixels(dataset):
                yield Pillow.fromarray(_eight_bit(np.asarray(pixels), dataset))
    except Exception as error:
        # The decoders raise whatever the damage leads to.
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"the pixels cannot be decoded: {first}") from None


def _open(path: Path, *, pixels: bool) -> Any:
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if pixels:
                return pydicom.dcmread(path)
            return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*ALLOWED, *_ORDER])
    except Exception as error:
        raise DataError(f"is no DICOM file: {error}") from None


def _eight_bit(pixels: np.ndarray, dataset: Any) -> np.ndarray:
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

    kind = dataset.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        coloured = apply_color_lut(pixels, dataset)
        return stretch(coloured, 0, 65535 if coloured.dtype.itemsize > 1 else 255)
    if pixels.ndim == 3:
        return stretch(pixels, 0, 2 ** int(dataset.BitsStored) - 1)
    values = apply_modality_lut(pixels, dataset)
    window = _window(dataset)
    if window is None and dataset.get("VOILUTSequence"):
        values = apply_voi_lut(values, dataset)
    elif window is not None and dataset.get("VOILUTFunction") == "SIGMOID":
        low, high = window
        values = 1 / (1 + np.exp(-4 * (values - (low + high) / 2) / (high - low)))
        window = 0.0, 1.0
    padding = dataset.get("PixelPaddingValue")
    low, high = window or _spread(values[pixels != padding] if padding is not None else values)
    found = stretch(values, low, high)
    return 255 - found if kind == "MONOCHROME1" else found


def _window(dataset: Any) -> tuple[float, float] | None:
    """Returns the first window of the header in rescaled units: the last black, the first white.

    The usual window counts whole levels, so that it is half a level lower and a level narrower
    than its centre and width say (DICOM PS3.3, C.11.2.1.2); `LINEAR_EXACT` and `SIGMOID` are not.
    """
    centre, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if centre is None or width is None:
        return None
    centre, width = (float(v[0] if _is_several(v) else v) for v in (centre, width))
    if dataset.get("VOILUTFunction", "LINEAR") == "LINEAR":
        centre, width = centre - 0.5, width - 1
    return (centre - width / 2, centre + width / 2) if width > 0 else None


def _spread(values: np.ndarray) -> tuple[float, float]:
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, _PERCENTILES)
    return float(low), float(high)


def _place(dataset: Any) -> tuple[float, float]:
    number = float(dataset.get("InstanceNumber") or 0)
    position, axes = dataset.get("ImagePositionPatient"), dataset.get("ImageOrientationPatient")
    if not position or not axes or len(axes) != 6:
        return 0.0, number
    normal = np.cross(np.array(axes[:3], float), np.array(axes[3:], float))
    return float(np.dot(normal, np.array(position, float))), number


def _is_several(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)
