from collections import Counter

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.messages import to_messages
from lingshu_core.records import Dialogue, Imaging, Question
from lingshu_synth.generators.vqa import GENERATOR
from lingshu_synth.naming import readable
from lingshu_synth.settings import VqaSettings


@pytest.fixture
def ask(synth):
    def run(inputs, out, **settings):
        return list(Manifest(synth("vqa", inputs, out, **settings)).of(Question))

    return run


@pytest.fixture(scope="module")
def asked(all_questions):
    return list(Manifest(all_questions).of(Question))


def by_picture(path):
    return {record.images[0].sha256: record for record in Manifest(path).of(Imaging)}


def test_answers_are_the_annotation(asked, gallery):
    records = by_picture(gallery)
    words = {"ct": "CT", "mri": "MRI", "xray": "X-ray"}
    for question in asked:
        record = records[question.images[0].sha256]
        answer = question.answer
        if question.answer_kind == "choice":
            answer = question.option_text(question.answer)
        topic = question.tags["topic"]
        if question.answer_kind == "closed":
            assert answer in {"yes", "no"}
        elif topic == "modality":
            assert answer == words[record.modality]
        elif topic == "organ":
            assert answer == record.organ
        elif topic == "presence":
            assert record.labels[answer] == "present"
        else:
            box = record.boxes[0]
            across = "left" if box.x < 40 else "right"
            down = "upper" if box.y < 40 else "lower"
            assert answer in {across, down, f"{down} {across}"}


def test_closed_questions_about_findings_agree_with_the_labels(asked, gallery):
    records = by_picture(gallery)
    seen = 0
    for question in asked:
        if question.answer_kind == "closed" and question.tags["topic"] == "presence":
            labels = records[question.images[0].sha256].labels
            finding = next(name for name in labels if name in question.question)
            assert labels[finding] == ("present" if question.answer == "yes" else "absent")
            seen += 1
    assert seen > 20


def test_no_distractor_is_true_of_the_picture(asked, gallery):
    records = by_picture(gallery)
    for question in asked:
        if question.answer_kind != "choice":
            continue
        record = records[question.images[0].sha256]
        wrong = {option.text for option in question.options if option.letter != question.answer}
        true = {record.organ} | {k for k, v in record.labels.items() if v != "absent"}
        assert not wrong & {readable(name) for name in true}
        assert len(wrong) == len(question.options) - 1


def test_what_is_marked_is_no_distractor_though_no_label_says_so(pictures, tmp_path, ask):
    box = {"x": 8, "y": 6, "width": 20, "height": 18, "label": "cyst"}
    names = ("nodule", "cyst", "edema")
    records = [pictures.imaging(n, labels={names[n % 3]: "present"}) for n in range(6)]
    records += [pictures.imaging(n, labels={"nodule": "present"}, boxes=[box]) for n in range(6, 9)]
    inputs = pictures.write(records)
    marked = {r.images[0].sha256 for r in Manifest(inputs).of(Imaging) if r.boxes}
    asked = ask(inputs, tmp_path / "out", topics=["presence"])
    choices = [q for q in asked if q.answer_kind == "choice"]
    seen = [{o.text for o in q.options} for q in choices if q.images[0].sha256 in marked]
    assert seen == [{"nodule", "edema"}] * 3
    assert any("cyst" in {o.text for o in q.options} for q in choices)


def test_distractors_come_from_the_same_dataset(pictures, tmp_path, ask):
    records = [
        pictures.imaging(n, dataset=name, organ=organ)
        for n, (name, organ) in enumerate(
            [("one", "brain"), ("one", "knee"), ("two", "liver"), ("two", "prostate")]
        )
    ]
    for question in ask(pictures.write(records), tmp_path / "out", topics=["organ"], per_record=9):
        texts = {option.text for option in question.options}
        assert texts in (set(), {"brain", "knee"}, {"liver", "prostate"})


def test_letters_are_balanced_exactly(asked):
    counts = Counter()
    for question in asked:
        if question.answer_kind == "choice":
            counts[len(question.options), question.answer] += 1
    for size in {size for size, _ in counts}:
        letters = [counts[size, letter] for letter in "ABCD"[:size]]
        assert max(letters) - min(letters) <= 1


def test_yes_and_no_are_balanced_for_every_finding(asked):
    counts = Counter()
    for question in asked:
        if question.answer_kind == "closed" and question.tags["topic"] == "presence":
            name = next(n for n in ("nodule", "cyst", "edema") if n in question.question)
            counts[name, question.answer] += 1
    for name in ("nodule", "cyst"):
        assert counts[name, "yes"] == counts[name, "no"] > 0
    assert counts["edema", "yes"] == counts["edema", "no"] == 0
    total = Counter(q.answer for q in asked if q.answer_kind == "closed")
    assert abs(total["yes"] - total["no"]) <= 6


def test_a_finding_that_is_always_there_is_not_asked_about(pictures, tmp_path, ask):
    records = [pictures.imaging(n, labels={"tumor": "present"}) for n in range(20)]
    asked = ask(pictures.write(records), tmp_path / "out", topics=["modality", "presence"])
    assert asked
    assert not [q for q in asked if q.tags["topic"] == "presence"]


@pytest.mark.slow
def test_classes_in_order_give_balanced_questions_all_the_same(pictures, tmp_path, ask):
    records = [
        pictures.imaging(n, labels={"tumor": "present" if n < 60 else "absent"}) for n in range(100)
    ]
    asked = ask(pictures.write(records), tmp_path / "out", topics=["presence"])
    assert Counter(q.answer for q in asked if q.answer_kind == "closed") == {"yes": 40, "no": 40}


def test_kinds_follow_the_mix(gallery, tmp_path, ask):
    mix = {"open": 1, "closed": 0, "choice": 3}
    asked = ask(gallery, tmp_path / "out", per_record=2, mix=mix)
    counts = Counter(question.answer_kind for question in asked)
    assert counts["closed"] == 0
    assert counts["choice"] > 1.5 * counts["open"] > 0


def test_several_phrasings_are_used(asked):
    texts = {q.question for q in asked if q.tags["topic"] == "modality" and q.answer_kind == "open"}
    assert len(texts) >= 4


def test_records_carry_source_pictures_and_provenance(asked, gallery):
    records = by_picture(gallery)
    for question in asked:
        record = records[question.images[0].sha256]
        assert question.source == record.source
        assert question.modality == record.modality
        made = question.provenance[-1]
        assert made.operation == "vqa.template"
        assert made.model == "offline-writer" and made.endpoint == "offline"
        assert made.inputs == (record.id,)
    assert len({question.id for question in asked}) == len(asked)


@pytest.mark.slow
def test_same_seed_same_bytes_other_seed_others(gallery, tmp_path, ask):
    parts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ask(gallery, tmp_path / name, seed=seed, limit=30)
        parts.append((tmp_path / name / "part-00000.jsonl").read_bytes())
    assert parts[0] == parts[1] != parts[2]


def test_a_picture_across_the_middle_gives_no_position(pictures, tmp_path, ask):
    box = {"x": 30, "y": 20, "width": 36, "height": 40, "label": "mass"}
    inputs = pictures.write([pictures.imaging(n, boxes=[box]) for n in range(5)])
    assert not ask(inputs, tmp_path / "out", topics=["position"])


def test_a_missing_picture_sets_one_record_aside(varied, tmp_path, ask):
    gone = next(Manifest(varied).of(Imaging))
    (varied / gone.images[0].path).unlink()
    asked = ask(varied, tmp_path / "out")
    assert asked and gone.images[0] not in {q.images[0] for q in asked}
    (aside,) = Manifest(tmp_path / "out" / "set-aside")
    assert aside.id == gone.id and aside.tags["reason"] == "unreadable"


def test_limit_draws_records_that_stay_when_the_input_grows(pictures, tmp_path, ask):
    records = [pictures.imaging(n) for n in range(30)]
    few = ask(pictures.write(records[:29], "few"), tmp_path / "a", limit=10)
    more = ask(pictures.write(records, "more"), tmp_path / "b", limit=10)
    one, other = ({q.images[0].sha256 for q in asked} for asked in (few, more))
    assert len(one) == len(other) == 10 and len(one & other) >= 9


@pytest.mark.slow
def test_the_generator_is_pure(gallery):
    settings = VqaSettings(limit=40)
    generators = [GENERATOR.build(settings) for _ in range(2)]
    from lingshu_synth.reading import Reading

    outcomes = []
    for generator in generators:
        reading = Reading([Manifest(gallery)], generator)
        generator.survey(reading.items)
        items = list(reading.items())
        order = items if generator is generators[0] else items[::-1]
        outcomes.append({item.id: generator.reduce(item) for item in order})
    assert outcomes[0] == outcomes[1]


def test_a_conversation_puts_each_question_in_the_words_in_which_it_stands_alone(
    gallery, synth, tmp_path, ask
):
    alone = ask(gallery, tmp_path / "alone")
    put = {
        (question.images[0].sha256, *(message.text for message in to_messages(question))): question
        for question in alone
    }
    together = list(Manifest(synth("vqa", gallery, tmp_path / "out", turns=4)).of(Dialogue))
    seen, firsts = [], set()
    for dialogue in together:
        messages = to_messages(dialogue)
        assert len(messages) <= 8
        shown = [piece.image for m in messages for piece in m.content if piece.image]
        assert shown == list(dialogue.images) == [messages[0].content[0].image]
        picture = dialogue.images[0].sha256
        questions = [
            put[picture, user.text, assistant.text]
            for user, assistant in zip(messages[::2], messages[1::2], strict=True)
        ]
        seen += [question.id for question in questions]
        firsts.add(questions[0].answer_kind)
    assert sorted(seen) == sorted(question.id for question in alone)
    assert len(together) < len(alone) / 2
    assert firsts == {"open", "closed", "choice"}
