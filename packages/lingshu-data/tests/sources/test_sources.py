"""Every dataset has a whole card, and its example row becomes valid records."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.data import get_testdata_file

from lingshu_core.errors import DataError
from lingshu_core.files import resolve_inside
from lingshu_core.records import RECORD, RecordBase, Source, dump_line
from lingshu_data.ingest import name_of
from lingshu_data.intake import Intake
from lingshu_data.reader import Broken, Row
from lingshu_data.source import PART_OF, SOURCES

ALL = dict(SOURCES.items())
OUTLINES = re.compile(r"mask|label|seg|annot|anno|_gt|GT|ground", re.I)
REPORT = "FINDINGS: The lungs are clear.\nIMPRESSION: No acute disease.\n"

TABLE_1_CAPTIONS = [
    "llava_med_alignment",
    "pubmedvision_alignment",
    "quilt_llava_pretrain",
    "pmc_oa",
    "roco",
    "rocov2",
    "mimic_cxr_captions",
    "medicat",
    "fairvlmed",
    "medpix",
]
TABLE_1_INSTRUCTION = [
    "path_vqa",
    "pmc_vqa",
    "slake",
    "quilt_llava_instruct",
    "vqa_med_2019",
    "pubmedvision",
    "llava_med",
    "llava_med_zh",
    "vqa_rad",
    "mimic_cxr_vqa",
    "chexpert_plus",
    "mimic_cxr",
    "iu_xray",
    "kvasir_vqa",
]
TABLE_2 = [
    "medqa",
    "medquad",
    "apollo_corpus",
    "pmc_llama",
    "medthoughts",
    "medreason",
    "medical_o1_sft",
    "medical_o1_verifiable",
    "medical_r1_distill",
    "healthcaremagic",
    "icliniq",
    "huatuogpt2_sft",
    "alpacare",
]
TABLE_3 = {
    "xray": ["covid19_radiography", "nih_chest_xray", "chexpert", "knee_xray"],
    "ct": ["kipa22", "deeplesion", "chest_ctscan"],
    "mri": ["brain_tumor_mri", "brats2024", "lld_mmri", "mama_mia"],
    "ultrasound": ["abdomen_us", "busi", "liver_us", "radimagenet_us"],
    "dermoscopy": ["ham10000", "isic2020", "fitzpatrick17k", "pad_ufes_20"],
    "fundus": ["brset", "papila", "diabetic_retinopathy"],
    "histopathology": ["cpd", "breast_cancer_synthetic", "pannuke", "ebhi_seg"],
    "microscopy": ["blood_cells", "biomeditech_rpe", "mhsma"],
}
"""With section 2.2.1, by the modality of their pictures."""
MODALITY = {name: modality for modality, names in TABLE_3.items() for name in names}
# The table counts it as dermoscopy; its pictures were taken without a dermatoscope.
MODALITY["fitzpatrick17k"] = "photograph"
GENERAL = ["llava15_captions", "llava15_instruct", "pixmo", "allava", "openhermes"]


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
def walk(tmp_path: Path) -> Callable[[str, dict[str, Any]], list[RecordBase]]:
    def records(name: str, changes: dict[str, Any]) -> list[RecordBase]:
        source, root = ALL[name], tmp_path / "in"
        root.mkdir(exist_ok=True)
        part = Source(dataset=name_of(name), licence=source.card.licence, rank=source.card.rank)
        defaults = {"domain": source.domain, "language": source.language}
        intake = Furnished(part, root, tmp_path / "out", source.settings(), defaults)
        row = Row({**source.example, **changes}, "example")
        return list(source.records(row, intake))

    return records


@pytest.mark.parametrize("name", ALL)
def test_card_is_whole(name: str):
    card = ALL[name].card
    for field in ("title", "what", "size", "licence", "home", "citation", "layout"):
        assert getattr(card, field).strip(), field
    assert card.part and set(card.part) <= set(PART_OF)
    assert card.access in {"open", "agreement", "request"}
    assert card.home.startswith("https://") and 0 <= card.rank < 90


@pytest.mark.parametrize("name", ALL)
def test_example_becomes_valid_records(name: str, walk):
    records = walk(name, {})
    assert records
    for record in records:
        again = RECORD.validate_json(dump_line(record), strict=True)
        assert again == record and record.provenance[0].package == "lingshu-data"
        assert record.source.dataset == name_of(name)
        assert record.modality == MODALITY.get(name, record.modality)
    assert records == walk(name, {}), "the same row makes the same records"


@pytest.mark.parametrize("name", ALL)
def test_an_empty_row_is_set_aside_and_not_made_up(name: str, walk):
    try:
        made = walk(name, dict.fromkeys(ALL[name].example))
    except (DataError, LookupError, TypeError, ValueError, AttributeError):
        return
    for record in made:
        assert record.files(), "a record of nothing"


def test_the_paper_s_tables_are_whole():
    for part, names in (
        ("captions", TABLE_1_CAPTIONS),
        ("instruction", TABLE_1_INSTRUCTION),
        ("text", TABLE_2),
        ("general", GENERAL),
        ("imaging", MODALITY),
    ):
        assert {name for name in names if part not in ALL[name].card.part} == set()


def test_a_broken_row_is_a_value():
    assert Broken("a.csv:3", "cut").reason == "cut"
