import pytest

from lingshu_core.answers.tags import read_format
from lingshu_core.manifest import Manifest
from lingshu_core.messages import to_messages
from lingshu_core.records import Question


@pytest.fixture
def reasoned(synth):
    def run(inputs, out, **settings):
        return list(Manifest(synth("cot", inputs, out, **settings)).of(Question))

    return run


def test_every_template_question_gets_a_reasoning(tmp_path, all_questions, reasoned):
    known = {question.id: question for question in Manifest(all_questions).of(Question)}
    after = reasoned(all_questions, tmp_path / "out", limit=120)
    assert len(after) == 120
    assert len({(q.answer_kind, q.tags["topic"]) for q in after}) > 9, "every kind of them"
    for other in after:
        one = known[other.provenance[-1].inputs[0]]
        assert other.rationale and "$" not in other.rationale
        assert (other.question, other.answer, other.options) == (
            one.question,
            one.answer,
            one.options,
        )
        assert other.id != one.id
        assert other.provenance[:-1] == one.provenance


def test_the_question_is_then_asked_with_tags(tmp_path, asked_questions, reasoned):
    for question in reasoned(asked_questions, tmp_path / "out"):
        messages = to_messages(question)
        assert "<think>" in messages[0].text
        parts = read_format(messages[-1].text)
        assert parts and parts.answer == question.answer


@pytest.mark.slow
def test_a_share_is_drawn_and_stays(tmp_path, all_questions, reasoned):
    inputs = all_questions
    whole = len(Manifest(inputs))
    quarter = reasoned(inputs, tmp_path / "quarter", share=0.25)
    half = reasoned(inputs, tmp_path / "half", share=0.5)
    assert 0.15 * whole < len(quarter) < 0.35 * whole
    assert {q.id for q in quarter} < {q.id for q in half}


def test_a_question_without_metadata_is_set_aside(tmp_path, asked_questions, reasoned):
    bare = [q.replace(tags={}) for q in Manifest(asked_questions).of(Question)][:3]
    file = tmp_path / "bare.jsonl"
    file.write_text("".join(q.model_dump_json(exclude_none=True) + "\n" for q in bare))
    (tmp_path / "images").mkdir(exist_ok=True)
    assert reasoned(file, tmp_path / "out") == []
    aside = list(Manifest(tmp_path / "out" / "set-aside"))
    assert [record.tags["reason"] for record in aside] == ["no_metadata"] * 3
