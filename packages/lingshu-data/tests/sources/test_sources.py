"""Every dataset has a whole card, and its example row becomes valid records."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lingshu_core.errors import DataError
from lingshu_core.records import RECORD, RecordBase, dump_line
from lingshu_data.ingest import name_of
from lingshu_data.reader import Broken, Row
from lingshu_data.source import PART_OF, SOURCES

ALL = dict(SOURCES.items())

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


@pytest.fixture
def walk(intake_of, tmp_path: Path) -> Callable[[str, dict[str, Any]], list[RecordBase]]:
    def records(name: str, changes: dict[str, Any]) -> list[RecordBase]:
        root = tmp_path / "in"
        root.mkdir(exist_ok=True)
        row = Row({**ALL[name].example, **changes}, "example")
        return list(ALL[name].records(row, intake_of(name, root)))

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


@pytest.mark.parametrize("name", ["mimic_cxr", "mimic_cxr_captions", "chexpert_plus"])
def test_reports_say_from_where_the_picture_was_taken(name: str, walk):
    (record,) = walk(name, {})
    assert record.tags["view"] in {"PA", "AP"}


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
