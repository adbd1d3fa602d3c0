"""What identifies people in consultations is replaced, flagged, or a reason to drop."""

import pytest

from lingshu_core.records import Dialogue, Instruction, Question, Source, Turn
from lingshu_data.identifiers import identifiers, replaced
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item
from lingshu_data.operators.dialogue_cleaning import TAG, DialogueCleaning, Settings

COMMON = {
    "id": "toy/1",
    "source": Source(dataset="toy", licence="CC0-1.0"),
    "modality": "text",
}
TALK = Dialogue(
    turns=(
        Turn(role="user", text="My name is Ada Example, call me on 020 7946 0018."),
        Turn(role="assistant", text="Take rest. Regards, Dr. Ben Sample"),
    ),
    **COMMON,
)


def cleaned(record, **settings):
    return DialogueCleaning(Settings(**settings)).judge(Item(record, None))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to ada@example.org please", "email"),
        ("See https://example.org/case", "address on the web"),
        ("Her number is 078-05-1120", "social security number"),
        ("Call (020) 7946 0018", "telephone"),
        ("The card 4111 1111 1111 1111 was charged", "account number"),
        ("I paid to DE89 3704 0044 0532 0130 00 then", "account number"),
        ("MRN: 00123456", "record number"),
        ("DOB 3/4/1960", "date of birth"),
        ("I saw Dr. Ben Sample for this", "name of a physician"),
        ("Mrs Example came in", "name of a person"),
        ("She lives at 12 Long Meadow Road", "street"),
    ],
)
def test_each_rule_finds_its_kind(text, kind):
    assert [found.kind for found in identifiers(text)] == [kind]
    assert f"[{kind}]" in replaced(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "Take 500 mg every 8 hours for 10 days",
        "The blood pressure was 120/80 and the pulse 72",
        "Hello Doctor, I have had a cough since 2019",
        "An ICD-10 code such as J45.909",
    ],
)
def test_figures_of_medicine_identify_nobody(text):
    assert identifiers(text) == []


def test_a_dialogue_keeps_its_words_and_loses_who_speaks():
    found = cleaned(TALK)
    assert [turn.role for turn in found.turns] == ["user", "assistant"]
    words = " ".join(turn.text for turn in found.turns)
    assert "Example" not in words and "Sample" not in words and "7946" not in words
    assert "Take rest." in words
    assert found.tags[TAG] == "name of a person, name of a physician, telephone"


def test_flagging_changes_no_word_and_dropping_says_what_it_was():
    flagged = cleaned(TALK, action="flag")
    assert flagged.turns == TALK.turns and "telephone" in flagged.tags[TAG]
    dropped = cleaned(TALK, action="drop")
    assert isinstance(dropped, Drop) and dropped.reason.startswith("identifies: ")


def test_instructions_and_questions_are_cleaned_and_choices_stay():
    said = "Ask Dr. Ben Sample."
    free = cleaned(Instruction(instruction=said, response=said, **COMMON))
    assert free.instruction == free.response == "Ask Dr. [name of a physician]."
    asked = Question(question=said, answer="yes", answer_kind="closed", rationale=said, **COMMON)
    found = cleaned(asked)
    assert found.question == found.rationale == "Ask Dr. [name of a physician]."
    assert found.answer == "yes"


def test_what_identifies_nobody_is_the_same_record():
    record = Instruction(instruction="What is a fever?", response="A raised heat.", **COMMON)
    assert cleaned(record) is record
    assert cleaned(record, action="drop") is record


@pytest.mark.slow
def test_presidio_flags_and_changes_nothing():
    pytest.importorskip("presidio_analyzer")
    said = "The message came from 192.0.2.17 at night."
    record = Instruction(instruction=said, response="Noted.", **COMMON)
    found = cleaned(record, presidio=True)
    assert "IP_ADDRESS" in found.tags["presidio"]
    assert (found.instruction, found.response) == (record.instruction, record.response)
