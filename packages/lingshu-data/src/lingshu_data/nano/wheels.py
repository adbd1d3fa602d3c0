"""Real pictures that come inside installed wheels: nothing is downloaded.

`pydicom` (MIT) and `nibabel` (MIT) carry test files, `pydicom-data` (MIT) and `scikit-image`
(BSD-3-Clause and public domain) come with the extra `lingshu-data[nano]`. Each picture is cut to a
region without burned-in text. `microaneurysms.png` of scikit-image is left out: a grey excerpt of
102 pixels that nobody would know for a fundus photograph.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from PIL import Image as Pillow

from lingshu_core.errors import SettingsError
from lingshu_core.modality import Modality
from lingshu_data.nano.canvas import SIDE
from lingshu_data.pictures import stretch

_FOLDERS = {
    "pydicom": "data/test_files",
    "data_store": "data",
    "nibabel": "tests/data",
    "skimage": "data",
}
_DISTRIBUTIONS = {"data_store": "pydicom-data", "skimage": "scikit-image"}


@dataclass(frozen=True)
class Wheel:
    """One file: one picture source, whatever number of slices it has."""

    package: str
    name: str
    modality: Modality
    organ: str | None
    """None where it is none of the phantoms' organs, so that nobody is asked for it."""
    split: Literal["train", "test"]
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, upper, right, lower, as shares of the picture."""
    window: tuple[float, float] | None = None
    """What becomes black and white, in stored or rescaled units; the 1st and 99th percentile."""
    slices: tuple[int, int] = (0, 1)
    """From and up to, of a volume or a multi-frame file."""
    turns: int = 0
    """Quarter turns to the left, so that it stands as radiologists look at it."""


_SOFT = (-160.0, 240.0)
_HEAD = (-60.0, 140.0)

WHEELS: tuple[Wheel, ...] = (
    Wheel(
        "data_store",
        "693_UNCR.dcm",
        Modality.CT,
        "brain",
        "train",
        window=_HEAD,
        region=(0.12, 0.1, 0.88, 0.9),
    ),
    Wheel(
        "pydicom",
        "J2K_pixelrep_mismatch.dcm",
        Modality.CT,
        "brain",
        "test",
        window=_HEAD,
        region=(0.1, 0.05, 0.9, 0.95),
    ),
    Wheel(
        "data_store",
        "explicit_VR-UN.dcm",
        Modality.CT,
        "abdomen",
        "train",
        window=_SOFT,
        region=(0.15, 0.2, 0.85, 0.8),
    ),
    Wheel("data_store", "bad_sequence.dcm", Modality.CT, "spine", "train", window=_SOFT),
    Wheel("pydicom", "CT_small.dcm", Modality.CT, "spine", "test", window=_SOFT),
    Wheel(
        "data_store",
        "MR-SIEMENS-DICOM-WithOverlays.dcm",
        Modality.MRI,
        "abdomen",
        "train",
        region=(0.02, 0.15, 0.98, 0.85),
    ),
    Wheel(
        "data_store", "MR2_UNCR.dcm", Modality.MRI, "shoulder", "train", region=(0.0, 0.1, 1.0, 0.9)
    ),
    Wheel("data_store", "emri_small.dcm", Modality.MRI, None, "train", slices=(2, 8)),
    Wheel("nibabel", "example4d.nii.gz", Modality.MRI, "brain", "test", slices=(8, 18), turns=1),
    Wheel(
        "data_store", "RG1_UNCR.dcm", Modality.XRAY, "lung", "test", region=(0.08, 0.02, 0.92, 0.9)
    ),
    Wheel(
        "data_store", "RG3_UNCR.dcm", Modality.XRAY, "leg", "train", region=(0.28, 0.0, 0.69, 0.75)
    ),
    Wheel(
        "data_store",
        "JPGLosslessP14SV1_1s_1f_8b.dcm",
        Modality.ULTRASOUND,
        "heart",
        "train",
        region=(0.30, 0.12, 0.78, 0.72),
    ),
    Wheel(
        "data_store",
        "gdcm-US-ALOKA-16.dcm",
        Modality.ULTRASOUND,
        None,
        "test",
        region=(0.17, 0.12, 0.56, 0.78),
    ),
    Wheel("skimage", "retina.jpg", Modality.FUNDUS, "retina", "train"),
    Wheel("skimage", "ihc.png", Modality.HISTOPATHOLOGY, None, "train"),
    Wheel("skimage", "cell.png", Modality.MICROSCOPY, None, "train"),
)


def load(wheel: Wheel, slice_number: int) -> np.ndarray:
    """Reads a picture, its region scaled to a canvas.

    Args:
        wheel: Which.
        slice_number: Which slice, from the first of its range; taken modulo their number.

    Returns:
        uint8 (SIDE, SIDE, 3).

    Raises:
        SettingsError: The wheel that brings it is not installed.
    """
    first, last = wheel.slices
    page = np.rot90(_read(wheel, first + slice_number % (last - first)), wheel.turns)
    height, width = page.shape[:2]
    left, upper, right, lower = wheel.region
    cut = page[
        round(upper * height) : round(lower * height), round(left * width) : round(right * width)
    ]
    if cut.ndim == 2:
        low, high = wheel.window or np.percentile(cut, (1, 99))
        cut = stretch(cut, float(low), float(high))
    picture = Pillow.fromarray(np.ascontiguousarray(cut)).convert("RGB")
    return np.asarray(picture.resize((SIDE, SIDE), Pillow.Resampling.BOX))


@cache
def _read(wheel: Wheel, index: int) -> np.ndarray:
    """Returns grey values (height, width) in the file's unit, or uint8 (height, width, 3)."""
    if find_spec(wheel.package) is None:
        brings = _DISTRIBUTIONS.get(wheel.package, wheel.package)
        raise SettingsError(f"nano needs {brings}: pip install 'lingshu-data[nano]'")
    place = files(wheel.package).joinpath(_FOLDERS[wheel.package], wheel.name)
    if wheel.name.endswith(".dcm"):
        return _dicom(str(place), wheel, index)
    if wheel.package == "nibabel":
        import nibabel

        volume: Any = nibabel.load(str(place))
        voxels = np.asarray(volume.dataobj)
        return np.asarray(voxels.reshape(*voxels.shape[:3], -1)[:, :, index, 0].T[::-1])
    with Pillow.open(str(place)) as picture:
        return np.asarray(picture)


def _dicom(place: str, wheel: Wheel, index: int) -> np.ndarray:
    import warnings

    import pydicom
    from pydicom.pixels.processing import apply_color_lut, apply_rescale

    with warnings.catch_warnings():
        # Test files of a DICOM library are broken on purpose in places that do not matter here.
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(place)
        pixels = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return stretch(apply_color_lut(pixels, dataset))
    if wheel.slices != (0, 1):
        pixels = pixels[index]
    if pixels.ndim == 3:
        return np.asarray(pixels)
    rescaled = np.asarray(apply_rescale(pixels, dataset))
    return -rescaled if dataset.PhotometricInterpretation == "MONOCHROME1" else rescaled
