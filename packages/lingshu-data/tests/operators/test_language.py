"""Texts in other languages go or are labelled; what cannot be told is left alone."""

import pytest

from lingshu_core.records import Instruction, Source
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item
from lingshu_data.operators.language import Language, Settings

ENGLISH = "The patient has had a dry cough for three weeks and no fever at all since then."
GERMAN = "Der Patient hustet seit drei Wochen trocken und hat seitdem überhaupt kein Fieber mehr."
CHINESE = "患者干咳三周，此后一直没有发热，胸部检查未见明显异常，建议两周后再来门诊复查。"


def judged(text: str, language: str = "en", **settings):
    record = Instruction(
        id="toy/1",
        source=Source(dataset="toy", licence="CC0-1.0"),
        modality="text",
        language=language,
        instruction=text,
        response=text,
    )
    return record, Language(Settings(**settings)).judge(Item(record, None))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_what_is_wanted_stays(text):
    record, found = judged(text)
    assert found is record


def test_what_is_not_wanted_goes_with_its_language():
    _, found = judged(GERMAN)
    assert isinstance(found, Drop) and found.reason == "language de" and found.value > 0.9
    record, found = judged(GERMAN, wanted=("de",))
    assert found is record


def test_labels_are_corrected():
    assert judged(GERMAN, action="label")[1].language == "de"
    record, found = judged(CHINESE, language="zh-CN", action="label")
    assert found is record, "the region of a label is no fault"


def test_short_texts_are_left_alone():
    record, found = judged("Kein Fieber.")
    assert found is record
