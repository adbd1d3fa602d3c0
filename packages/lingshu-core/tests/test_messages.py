"""One rendering of records as messages, with every picture in its place."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lingshu_core.errors import DataError
from lingshu_core.messages import ask, options_text, report_text, to_messages
from lingshu_core.prompts import load_prompt
from lingshu_core.records import (
    IMAGE_MARK,
    TYPES,
    Caption,
    Dialogue,
    Image,
    Instruction,
    Option,
    Question,
    Report,
    Turn,
)


def picture(number=0):
    return Image(path=f"images/{number}.png", sha256=f"{number:064}", width=2, height=2)


def shown(message):
    """A message as text with `[n]` in the place of picture n."""
    return "".join(
        f"[{int(piece.image.sha256)}]" if piece.image else piece.text for piece in message.content
    )


@pytest.fixture
def common(question):
    return {"id": "a", "source": question().source, "modality": "xray"}


def test_pictures_come_first_where_no_mark_says_otherwise(question):
    user, assistant = to_messages(question(question="Why?", images=(picture(0), picture(1))))
    assert shown(user) == (
        "[0][1]Question: Why?\nAnswer the question concisely."
    )  # fmt: skip
    assert (user.role, assistant.role, assistant.text) == ("user", "assistant", "a chest")


def test_marks_place_the_pictures(question):
    record = question(question="Is <image> like <image>?", images=(picture(0), picture(1)))
    assert shown(to_messages(record)[0]).startswith("Question: Is [0] like [1]?\n")


def test_a_mark_without_pictures_is_text(question):
    assert "what does <image> mean" in shown(ask(question(question="what does <image> mean"))[0])


@pytest.mark.parametrize("text", ["<image>", "<image><image><image>"])
def test_marks_have_to_fit(question, text):
    record = question(question=f"{text} a", images=(picture(0), picture(1)))
    with pytest.raises(DataError, match=r"marks . pictures and the record has 2"):
        to_messages(record)


@pytest.mark.parametrize("kind", ["choice", "closed", "open"])
@pytest.mark.parametrize("language", ["en", "zh", "zh-Hant", "de"])
@pytest.mark.parametrize("style", ["direct", "think"])
def test_questions_use_the_prompt_of_their_kind(question, kind, language, style):
    options = tuple(Option(letter=letter, text=letter * 3) for letter in "AB" if kind == "choice")
    record = question(answer="A", answer_kind=kind, options=options, language=language)
    name = kind + (".think" if style == "think" else "") + (".zh" if "zh" in language else "")
    fields = {"question": record.question}
    if kind == "choice":
        fields["options"] = "A. AAA\nB. BBB"
        assert options_text(record) == fields["options"]
    user, assistant = to_messages(record, style)
    assert user.text == load_prompt("lingshu_core", name).render(**fields)
    assert assistant.text == "A"


def test_a_rationale_is_asked_for_and_given(question):
    user, assistant = to_messages(question(rationale="It has ribs."))
    assert "<think>" in user.text
    assert assistant.text == "<think>It has ribs.</think><answer>a chest</answer>"


def test_a_withheld_answer_leaves_the_question(question):
    record = question(answer=None)
    assert to_messages(record) == ask(record) and len(ask(record)) == 1


def test_placeholders_in_a_question_stay_text(question):
    record = question(question="What is ${options} and {}?")
    assert "What is ${options} and {}?" in ask(record)[0].text


def test_a_report(common):
    record = Report(**common, findings=" Clear lungs. ", impression="Normal.", images=(picture(),))
    assert report_text(record) == "Findings: Clear lungs. Impression: Normal."
    user, assistant = to_messages(record)
    assert shown(user).startswith("[0]You are a helpful assistant.")
    assert assistant.text == report_text(record)


def test_a_caption_is_always_asked_the_same_way(common):
    lines = load_prompt("lingshu_core", "caption").text.splitlines()
    asked = set()
    for number in range(60):
        record = Caption(**{**common, "id": f"a/{number}"}, text="A chest.", images=(picture(),))
        assert ask(record) == ask(record.replace(text="An arm."))
        asked.add(ask(record)[0].text)
    assert asked <= set(lines) and len(asked) > 5


def test_an_instruction(common):
    record = Instruction(**common, instruction="Do.", response="Done.", system="Be kind.")
    assert [(m.role, m.text) for m in to_messages(record)] == [
        ("system", "Be kind."), ("user", "Do."), ("assistant", "Done."),
    ]  # fmt: skip
    assert [m.role for m in ask(record)] == ["system", "user"]


def dialogue(common, texts, pictures):
    turns = tuple(
        Turn(role="assistant" if number % 2 else "user", text=text)
        for number, text in enumerate(texts)
    )
    return Dialogue(**common, turns=turns, images=tuple(picture(n) for n in range(pictures)))


def test_pictures_of_a_dialogue(common):
    first = to_messages(dialogue(common, ["a", "b", "c", "d"], 2))
    assert [shown(message) for message in first] == ["[0][1]a", "b", "c", "d"]
    marked = to_messages(dialogue(common, ["a<image>", "b", "<image>c", "d"], 2))
    assert [shown(message) for message in marked] == ["a[0]", "b", "[1]c", "d"]
    with pytest.raises(DataError, match="no place in the dialogue"):
        to_messages(dialogue(common, ["a<image>", "b"], 2))
    with pytest.raises(DataError, match="marks 2 pictures"):
        to_messages(dialogue(common, ["<image><image>", "b"], 1))


def test_what_cannot_be_asked(common):
    from lingshu_core.records import Imaging

    with pytest.raises(DataError, match="cannot be put as messages") as caught:
        to_messages(Imaging(**common, images=(picture(),)))
    assert caught.value.record == "a"


_asked = st.one_of(
    *(
        st.from_type(TYPES[name])
        for name in ("question", "caption", "report", "instruction", "dialogue")
    )
)


@given(_asked, st.sampled_from(["direct", "think"]))
def test_every_picture_and_text_has_its_place(record, style):
    assume(not any(IMAGE_MARK in text for text in record.texts()))
    assume(not isinstance(record, Dialogue) or any(turn.role == "user" for turn in record.turns))
    messages = to_messages(record, style)
    pictures = [piece.image for m in messages for piece in m.content if piece.image]
    assert pictures == list(record.images)
    assert all(
        (piece.text is None) != (piece.image is None) for m in messages for piece in m.content
    )
    assert to_messages(record, style) == messages
    if isinstance(record, Question):
        assert record.question in messages[0].text


@given(st.lists(st.sampled_from(["a", "<image>", " b", "<", "image>"]), min_size=1).map("".join))
def test_marks_and_texts_keep_their_order(question, text):
    assume(text.strip())
    count = text.count(IMAGE_MARK)
    assume(count)
    record = Instruction(
        id="a", source=question().source, modality="ct", instruction=text, response="b",
        images=tuple(picture(n) for n in range(count)),
    )  # fmt: skip
    found = shown(to_messages(record)[0])
    for number in range(count):
        assert f"[{number}]" in found
        found = found.replace(f"[{number}]", IMAGE_MARK, 1)
    assert found == text


def test_a_dialogue_of_one_turn_waits_for_its_answer(common):
    waiting = Dialogue(**common, turns=(Turn(role="user", text="Is a fever dangerous?"),))
    assert [message.role for message in to_messages(waiting)] == ["user"]
    assert ask(waiting) == to_messages(waiting)
