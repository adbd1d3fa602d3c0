"""Copies of datasets that have whatever their rows speak of."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.data import get_testdata_file

from lingshu_core.files import resolve_inside
from lingshu_core.records import Source
from lingshu_data.ingest import name_of
from lingshu_data.intake import Intake
from lingshu_data.source import SOURCES

OUTLINES = re.compile(r"mask|label|seg|annot|anno|_gt|GT|ground", re.I)
REPORT = "FINDINGS: The lungs are clear.\nIMPRESSION: No acute disease.\n"


def picture(path: Path, seed: int) -> None:
    shape = (512, 640)
    if OUTLINES.search(path.as_posix()):
        values = np.zeros(shape, np.uint8)
        values[40:90, 60:120] = 1
    else:
        coarse = np.random.default_rng(seed).integers(30, 220, (16, 20), dtype=np.uint8)
        values = np.kron(coarse, np.ones((32, 32), np.uint8))
    Pillow.fromarray(values).save(path)


def volume(path: Path) -> None:
    values = np.random.default_rng(7).integers(0, 400, (32, 30, 12)).astype(np.int16)
    if OUTLINES.search(path.as_posix()):
        values[:] = 0
        values[8:16, 9:20, 4:8] = 1
    if path.suffix == ".nrrd":
        import SimpleITK

        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values.T.copy()), str(path))
    else:
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)


def furnish(path: Path) -> None:
    """Writes the file that a row speaks of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith((".nii", ".nii.gz", ".nrrd")):
        volume(path)
    elif path.suffix == ".txt":
        path.write_text(REPORT, encoding="utf-8")
    elif path.suffix == ".TextGrid":
        path.write_text('xmin = 0.5\nxmax = 2.5\ntext = "Hello there"\n', encoding="utf-8")
    elif path.suffix == ".dcm":
        shutil.copyfile(str(get_testdata_file("CT_small.dcm")), path)
    elif path.suffix == ".npz":
        fundus = np.random.default_rng(3).integers(0, 255, (200, 200, 3), dtype=np.uint8)
        np.savez(path, slo_fundus=fundus, slo=fundus[..., 0], glaucoma=np.array(1))
    else:
        picture(path, 5)


class Furnished(Intake):
    """An intake of a copy that has whatever is asked for."""

    def path(self, *candidates: str) -> Path:
        full = resolve_inside(self.root, candidates[0], real_root=self._bounds)
        if not full.is_file():
            furnish(full)
        return full


@pytest.fixture
def intake_of(tmp_path: Path) -> Callable[[str, Path], Intake]:
    """Returns how an intake is made for a dataset, by its name and folder."""

    def make(name: str, root: Path) -> Intake:
        source = SOURCES.get(name)
        part = Source(dataset=name_of(name), licence=source.card.licence, rank=source.card.rank)
        defaults = {"domain": source.domain, "language": source.language}
        return Furnished(part, root, tmp_path / "out", source.settings(), defaults)

    return make


@pytest.fixture(name="furnish")
def _furnish() -> Callable[[Path], None]:
    """Returns how a file of which a row speaks is written."""
    return furnish
