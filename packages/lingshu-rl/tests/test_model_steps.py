"""The steps that ask a model: pass@k, blind, whether a question stands alone."""

import json
from pathlib import Path

import pytest
import rl_toy
from rl_endpoint import serving

from lingshu_core.errors import Stopped
from lingshu_core.golds import ChoiceGold
from lingshu_core.manifest import Manifest
from lingshu_core.records import Option, Question, Source
from lingshu_rl import endpoint as endpoint_module
from lingshu_rl.passes import Sampler, count_passes, without_picture
from lingshu_rl.settings import Endpoint, EngineSettings
from lingshu_rl.step import Desk, Item
from lingshu_rl.steps.difficulty import Difficulty
from lingshu_rl.steps.length import Length
from lingshu_rl.steps.open_choices import OpenChoices
from lingshu_rl.steps.picture_need import PictureNeed


@pytest.fixture(scope="module")
def asked(toys: Path) -> list[Item]:
    manifest = Manifest(toys / "toy-32-0-0")
    return [Item(question, manifest) for question in manifest.of(Question)][:12]


@pytest.fixture
def sampler(toys: Path) -> Sampler:
    return Sampler(
        checkpoint=str(toys / "parent"),
        samples=4,
        max_tokens=20,
        max_length=512,
        precision="float32",
        engine=EngineSettings(name="hf"),
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(seed=0, journals=tmp_path)


def test_difficulty_keeps_the_middle(asked: list[Item], sampler: Sampler, desk: Desk):
    counted = dict.fromkeys(range(5), 0)
    for _, passes in count_passes(asked, sampler, desk.journals, seed=0):
        counted[passes] += 1
    kept = list(Difficulty(**dict(sampler)).run(asked, desk))
    assert len(kept) == 12 - counted[0] - counted[4]
    assert 0 < len(kept) < 12
    assert all(item.question.tags["samples"] == "4" for item in kept)
    assert {int(item.question.tags["passes"]) for item in kept} <= {1, 2, 3}
    assert desk.drops["", "fewer than 1 of 4 answers are right"] == counted[0]
    assert desk.drops["", "more than 3 of 4 answers are right"] == counted[4]


def test_counting_goes_on_where_it_was_killed(asked: list[Item], sampler: Sampler, tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    first = [passes for _, passes in count_passes(asked, sampler, whole, seed=0)]
    list(count_passes(asked[:5], sampler, cut, seed=0))
    [journal] = cut.glob("*.jsonl")
    lines = journal.read_text().splitlines()
    # Half a line, and a count that only the journal knows.
    changed = {**json.loads(lines[0]), "passes": 99}
    journal.write_text("\n".join([json.dumps(changed), *lines[1:]]) + '\n{"id": "toy')
    second = [passes for _, passes in count_passes(asked, sampler, cut, seed=0)]
    assert second[0] == 99
    assert [json.loads(line)["id"] for line in journal.read_text().splitlines()] == [
        item.question.id for item in asked
    ]
    assert first[0] != 99


def test_another_checkpoint_counts_anew(asked, sampler: Sampler, toys: Path, tmp_path: Path):
    list(count_passes(asked[:2], sampler, tmp_path / "j", seed=0))
    other = rl_toy.checkpoint(tmp_path / "other", toys / "toy-32-0-0", steps=2, seed=1)
    more = sampler.model_copy(update={"checkpoint": str(other)})
    list(count_passes(asked[:2], more, tmp_path / "j", seed=0))
    assert len(list((tmp_path / "j").glob("*.jsonl"))) == 2


def test_without_picture(asked: list[Item]):
    marked = asked[0].question.replace(question="Look <image> and say: dark or bright?")
    blind = without_picture(marked)
    assert (blind.question, blind.images) == ("Look and say: dark or bright?", ())


def test_picture_need_drops_what_is_known_blind(asked: list[Item], sampler: Sampler, desk: Desk):
    every = PictureNeed(**dict(sampler), share=0.0)
    assert list(every.run(asked, desk)) == []
    assert desk.drops["", "answered without its picture"] == 12
    half = PictureNeed(**dict(sampler), share=0.0, keep=0.5)
    assert 0 < len(list(half.run(asked, desk))) < 12
    none = PictureNeed(**{**dict(sampler), "max_tokens": 1}, share=0.25)
    assert len(list(none.run(asked, desk))) == 12


def test_length_counts_picture_tokens(asked: list[Item], toys: Path, desk: Desk):
    from lingshu_rl.loading import load_processor
    from lingshu_rl.questions import Asked, open_pictures, prompt_ids, prompt_length, read_questions

    processor = load_processor(toys / "parent")
    question: Asked = read_questions(Manifest(toys / "toy-32-0-0"))[0]
    opened = open_pictures([question])
    images = [opened[path] for path in question.pictures]
    ids = prompt_ids(question, images, processor)
    assert ids.count(processor.image_token_id) > 1
    assert prompt_length(question, processor) == len(ids)
    fits = Length(checkpoint=str(toys / "parent"), longest=len(ids))
    assert len(list(fits.run(asked, desk))) == 12
    tight = Length(checkpoint=str(toys / "parent"), longest=len(ids) - 1)
    assert list(tight.run(asked, desk)) == []


def _choice(text: str, number: int) -> Question:
    return Question(
        id=f"toy/{number}",
        source=Source(dataset="toy", licence="CC0-1.0"),
        modality="ct",
        question=text,
        answer="A",
        answer_kind="choice",
        options=(Option(letter="A", text="liver"), Option(letter="B", text="spleen")),
        gold=ChoiceGold(letter="A", text="liver"),
    )


@pytest.fixture
def choices(asked: list[Item]) -> list[Item]:
    texts = ("Which organ is it?", "Which organ do you like?", "Which of the following is it?")
    return [Item(_choice(text, n), asked[0].source) for n, text in enumerate(texts)]


def test_model_may_keep_a_question_closed(choices: list[Item], desk: Desk):
    with serving(lambda prompt: "NO" if "do you like" in prompt else "YES") as endpoint:
        step = OpenChoices(endpoint=Endpoint(model="m", base_url=endpoint.url))
        found = list(step.run(choices, desk))
        list(step.run(choices, desk))
        assert len(endpoint.prompts) == 2
    assert [item.question.answer_kind for item in found] == ["open", "choice", "choice"]
    assert desk.notes["", "kept as a choice: the model says that it needs its options"] == 2


def test_model_that_is_away_stops_curation(
    choices: list[Item], desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(endpoint_module, "_PAUSE", 0.05)
    with serving(lambda prompt: 503) as endpoint:
        model = Endpoint(model="m", base_url=endpoint.url, patience=0.2)
        with pytest.raises(Stopped, match="the same command goes on"):
            list(OpenChoices(endpoint=model).run(choices, desk))
