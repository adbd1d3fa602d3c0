"""A modality comes from what the record says, and only where it says one."""

import pytest

from lingshu_core.modality import Modality
from lingshu_core.records import Caption, Image, Source
from lingshu_data.operator import Item
from lingshu_data.operators.modality import ModalityFromWords, Settings, modality_in


def judged(text: str, modality: str = "unknown", tags=None, **settings):
    record = Caption(
        id="toy/1",
        source=Source(dataset="toy", licence="CC0-1.0"),
        modality=modality,
        images=(Image(path="a.png", sha256="0" * 64, width=80, height=80),),
        text=text,
        tags=tags or {},
    )
    return ModalityFromWords(Settings(**settings)).judge(Item(record, None)).modality


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("Axial contrast-enhanced CT of the chest", Modality.CT),
        ("T2-weighted image of the knee", Modality.MRI),
        ("Chest radiograph on the day of admission", Modality.XRAY),
        ("Transthoracic echocardiography, apical view", Modality.ULTRASOUND),
        ("Haematoxylin and eosin, 200 times", Modality.HISTOPATHOLOGY),
        ("CT angiography of the brain", Modality.ANGIOGRAPHY),
        ("CT and MRI of the same patient", Modality.UNKNOWN),
        ("A round shadow beside the heart", Modality.UNKNOWN),
        ("The patient was expected on October 3", Modality.UNKNOWN),
    ],
)
def test_words_name_one_modality_or_none(text, modality):
    assert modality_in(text) == modality
    assert judged(text) == modality


def test_metadata_come_before_words_and_a_label_before_both():
    assert judged("CT of the chest", tags={"modality": "MR"}) == Modality.MRI
    assert judged("CT of the chest", modality="xray", tags={"modality": "MR"}) == Modality.XRAY


def test_words_can_be_left_aside():
    assert judged("CT of the chest", from_text=False) == Modality.UNKNOWN
