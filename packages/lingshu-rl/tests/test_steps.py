from collections.abc import Iterable
from pathlib import Path

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.golds import ChoiceGold, PhraseGold, YesNoGold
from lingshu_core.manifest import Manifest
from lingshu_core.records import Operation, Option, Question, Source
from lingshu_rl.step import STEPS, Desk, Item, Spool, load_step
from lingshu_rl.steps.balance import Balance, share_out
from lingshu_rl.steps.decontaminate import Decontaminate
from lingshu_rl.steps.gold import Golds
from lingshu_rl.steps.near_duplicates import NearDuplicates
from lingshu_rl.steps.open_choices import OpenChoices
from lingshu_rl.steps.sources import Sources

SOURCE = Source(dataset="toy", licence="CC0-1.0")


def choice(question: str, *options: str, answer: str = "A", name: str = "") -> Question:
    letters = tuple(
        Option(letter=letter, text=text) for letter, text in zip("ABCDE", options, strict=False)
    )
    made = Question(
        id=name or f"toy/{question[:40]}/{answer}",
        source=SOURCE,
        modality="ct",
        question=question,
        answer=answer,
        answer_kind="choice",
        options=letters,
    )
    return made.replace(gold=ChoiceGold(letter=answer, text=made.option_text(answer[0])))


def closed(name: str, value: str, modality: str = "ct") -> Question:
    return Question(
        id=name,
        source=SOURCE,
        modality=modality,
        question="Is there a mass?",
        answer=value,
        answer_kind="closed",
        gold=YesNoGold(value=value),
    )


def phrase(name: str, answer: str, modality: str = "ct") -> Question:
    return Question(
        id=name,
        source=SOURCE,
        modality=modality,
        question="What is it?",
        answer=answer,
        answer_kind="open",
        gold=PhraseGold(accepted=(answer,)),
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(seed=0, journals=tmp_path)


@pytest.fixture
def items(tmp_path: Path):
    plain = tmp_path / "plain.jsonl"
    plain.touch()
    source = Manifest(plain)

    def make(questions: Iterable[Question]) -> list[Item]:
        return [Item(question, source) for question in questions]

    return make


@pytest.mark.parametrize("name", STEPS.names())
def test_contract(name: str):
    model = STEPS.get(name)
    assert model.__doc__ and model.__module__.endswith(name.replace("-", "_"))
    with pytest.raises(SettingsError, match="'nonsense' is unknown"):
        load_step({"use": name, "nonsense": 1})


def test_step_takes_what_the_recipe_names_once(tmp_path: Path):
    _, step = load_step({"use": "decontaminate"}, {"against": ("test",), "checkpoint": ""})
    assert step.against == ("test",)
    with pytest.raises(SettingsError, match="'difficulty' needs 'checkpoint': give --set"):
        load_step({"use": "difficulty"}, {"checkpoint": ""})


def test_unknown_step_names_the_nearest():
    with pytest.raises(SettingsError, match="did you mean 'balance'"):
        load_step({"use": "balanced"})


LEANING = [
    choice("Which of the following organs is enlarged?", "Liver", "Spleen"),
    choice("All of these are true EXCEPT", "Liver", "Spleen"),
    choice("Which statement is correct?", "Liver", "Spleen"),
    choice("Which organ is not affected?", "Liver", "Spleen"),
    choice("The structure shown is the ____.", "Liver", "Spleen"),
    choice("Which option describes it?", "Liver", "Spleen"),
    choice("What best describes the finding?", "Mass", "Cyst"),
]
EMPTY = [
    choice("What is seen?", "All of the above", "Cyst"),
    choice("What is seen?", "None of the above", "Cyst", name="toy/none"),
    choice("What is seen?", "Both A and C", "Cyst", name="toy/both"),
    choice("What is seen?", "A and B", "Cyst", name="toy/ab"),
    choice("Is it large?", "Yes", "No"),
    choice("What is seen?", "Cannot be determined", "Cyst", name="toy/cannot"),
]
OPEN = [
    choice("Which organ is enlarged?", "Liver", "Spleen"),
    choice(
        "What modality was used to take this image?", "CT", "MRI", "Ultrasound", name="toy/modality"
    ),
    choice("Where is the lesion?", "Right kidney", "Left kidney"),
    choice("What is the most likely diagnosis?", "Glioma", "Abscess"),
]


@pytest.mark.parametrize("question", [*LEANING, *EMPTY], ids=lambda q: f"{q.question} {q.answer}")
def test_choice_that_needs_its_options_stays_a_choice(question: Question, items, desk: Desk):
    [item] = OpenChoices().run(items([question]), desk)
    assert item.question == question


@pytest.mark.parametrize("question", OPEN, ids=lambda q: q.question)
def test_choice_that_stands_alone_is_opened(question: Question, items, desk: Desk):
    [item] = OpenChoices().run(items([question]), desk)
    opened = item.question
    assert (opened.answer_kind, opened.options) == ("open", ())
    assert opened.gold == PhraseGold(accepted=(opened.answer,))
    assert opened.answer == question.options[0].text
    assert set(item.distractors) == {option.text for option in question.options[1:]}


def test_opened_share_follows_from_the_seed(items, tmp_path: Path):
    made = items(
        choice("Which organ is it?", "Liver", "Spleen", name=f"toy/{n}") for n in range(400)
    )
    first = [i.question.answer_kind for i in OpenChoices(share=0.25).run(made, Desk(0, tmp_path))]
    again = [i.question.answer_kind for i in OpenChoices(share=0.25).run(made, Desk(0, tmp_path))]
    other = [i.question.answer_kind for i in OpenChoices(share=0.25).run(made, Desk(1, tmp_path))]
    assert first == again != other
    assert 0.18 < first.count("open") / 400 < 0.32


def test_gold_drops_what_the_checker_cannot_tell_apart(items, desk: Desk):
    [item] = items([phrase("toy/1", "tumor").replace(gold=None)])
    same = Item(item.question, item.source, distractors=("cyst", "a tumour"))
    assert list(Golds().run([same], desk)) == []
    assert desk.drops == {("", "the checker accepts a distractor"): 1}


def test_gold_drops_withheld_and_long_answers(items, desk: Desk):
    withheld = choice("Where is it?", "left", "right").replace(answer=None, gold=None)
    long = phrase("toy/long", "a " + "very " * 20 + "long answer").replace(gold=None)
    assert list(Golds().run(items([withheld, long]), desk)) == []
    assert {reason for _, reason in desk.drops} == {
        "the answer is withheld",
        "the answer is too long for rules",
    }


def test_synonyms_of_the_user_are_accepted(items, desk: Desk, tmp_path: Path):
    table = tmp_path / "synonyms.jsonl"
    table.write_text(
        '{"canonical": "kidney stone", "synonyms": ["renal calculus", "nephrolith"]}\n'
    )
    question = phrase("toy/stone", "Renal calculus").replace(gold=None)
    [item] = Golds(synonyms=str(table)).run(items([question]), desk)
    assert item.question.gold == PhraseGold(
        accepted=("Renal calculus", "kidney stone", "renal calculus", "nephrolith")
    )


def test_broken_synonyms_name_the_line(items, desk: Desk, tmp_path: Path):
    from lingshu_core.errors import DataError

    table = tmp_path / "synonyms.jsonl"
    table.write_text('{"canonical": "a", "synonyms": ["b"]}\n{"term": "a"}\n')
    with pytest.raises(DataError, match=r"synonyms.jsonl:2"):
        list(Golds(synonyms=str(table)).run(items([]), desk))


def test_sources(items, desk: Desk):
    asked = [
        phrase(f"{name}/1", "liver").replace(source=Source(dataset=name, licence="MIT"))
        for name in ("slake", "other", "third")
    ]
    made = Operation(package="lingshu-synth", version="0", operation="vqa")
    asked[2] = asked[2].replace(provenance=(made,))
    kept = Sources(datasets=("slake",)).run(items(asked), desk)
    assert [item.question.source.dataset for item in kept] == ["slake"]
    kept = Sources(datasets=("slake",), synthetic=True).run(items(asked), desk)
    assert [item.question.source.dataset for item in kept] == ["slake", "third"]


def test_balance(items, desk: Desk):
    asked = [closed(f"y{n}", "yes", m) for n in range(300) for m in ("ct",)]
    asked += [closed(f"n{n}", "no", m) for n in range(100) for m in ("mri",)]
    asked += [phrase(f"p{n}", "liver", "ct") for n in range(500)]
    asked += [phrase(f"q{n}", "liver", "mri") for n in range(60)]
    asked += [choice("Where?", "a", "b", name=f"c{n}") for n in range(200)]
    kept = [i.question for i in Balance(size=400, multiple=16).run(items(asked), desk)]
    kinds = [question.gold.kind for question in kept]
    assert len(kept) == 400
    assert kinds.count("yes_no") == 20
    assert [q.answer for q in kept if q.gold.kind == "yes_no"].count("yes") == 10
    assert sum(q.modality == "mri" and q.gold.kind == "phrase" for q in kept) == 60
    assert abs(kinds.count("choice") - sum(q.id.startswith("p") for q in kept)) <= 1
    assert sum(desk.drops.values()) == len(asked) - 400


def test_balance_without_a_size(items, desk: Desk):
    asked = [phrase(f"p{n}", "liver", "ct") for n in range(500)]
    asked += [phrase(f"q{n}", "liver", "mri") for n in range(20)]
    kept = [i.question for i in Balance(ratio=3).run(items(asked), desk)]
    assert [q.modality for q in kept].count("mri") == 20
    # Three times the smallest, and what the yes/no questions that are not there leave free.
    assert 60 <= [q.modality for q in kept].count("ct") <= 66


def test_share_out_is_even_and_whole():
    sizes = {("a", "", ""): 5, ("b", "", ""): 100, ("c", "", ""): 100}
    assert list(share_out(sizes, 50).values()) == [5, 23, 22]
    assert list(share_out(sizes, 500).values()) == [5, 100, 100]
    assert sum(share_out(sizes, 2).values()) == 2


def test_spool_gives_back_what_it_was_given(items, tmp_path: Path):
    made = items([phrase("a", "liver"), closed("b", "yes")])
    with Spool(iter(made), tmp_path) as spool:
        assert list(spool) == list(spool) == made
        assert spool.count == 2


def test_near_duplicates_of_one_picture_are_thinned(items, desk: Desk):
    texts = [
        "Is there a mass in the left kidney of this patient on the scan?",
        "Is there a mass in the left kidney of this patient on the scan",
        "Is there a MASS in the left kidney of this patient on the scan??",
        "Is there a mass in the right kidney of this patient on the scan?",
        "Which organ is enlarged?",
    ]
    asked = [phrase(f"p{n}", "yes").replace(question=text) for n, text in enumerate(texts)]
    kept = [i.question.id for i in NearDuplicates().run(items(asked), desk)]
    assert kept == ["p0", "p3", "p4"]
    assert desk.drops["", "asks nearly the same of the same picture"] == 2


def test_same_words_with_another_answer_or_picture_are_no_duplicates(items, desk: Desk):
    from lingshu_core.records import Image

    image = Image(path="images/a.png", sha256="a" * 64, width=2, height=2)
    asked = [
        phrase("p0", "liver"),
        phrase("p1", "spleen"),
        phrase("p2", "liver").replace(images=(image,)),
    ]
    assert len(list(NearDuplicates().run(items(asked), desk))) == 3


def test_endless_repeats_are_thinned(items, desk: Desk):
    from lingshu_core.records import Image

    asked = [
        phrase(f"p{n}", "liver").replace(
            images=(Image(path=f"images/{n}.png", sha256=f"{n:064}", width=2, height=2),)
        )
        for n in range(10)
    ]
    assert len(list(NearDuplicates(repeats=4).run(items(asked), desk))) == 4


def test_decontaminate(items, desk: Desk, tmp_path: Path):
    from lingshu_core.records import Image

    image = Image(path="images/a.png", sha256="a" * 64, width=2, height=2)
    other = image.model_copy(update={"sha256": "b" * 64})
    source = SOURCE.model_copy(update={"group": "patient-1"})
    held = [
        phrase("h0", "liver").replace(images=(image,)),
        phrase("h1", "liver").replace(source=source, images=(other,)),
        phrase("h2", "liver").replace(question="What is the LARGEST organ?"),
    ]
    path = tmp_path / "held.jsonl"
    path.write_text("".join(q.model_dump_json(exclude_none=True) + "\n" for q in held))
    asked = [
        phrase("p0", "spleen").replace(question="Another?", images=(image,)),
        phrase("p1", "spleen").replace(source=source, question="Another one?"),
        phrase("p2", "liver").replace(question="what is the largest organ"),
        phrase("p3", "liver").replace(question="What is the smallest organ?"),
    ]
    kept = Decontaminate(against=(str(path),)).run(items(asked), desk)
    assert [item.question.id for item in kept] == ["p3"]
    assert len(desk.drops) == 3
