import json

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.records import Prediction, Question, Source
from medevalkit.cache import Cache
from medevalkit.judging import key, prompt
from medevalkit.settings import JudgeSettings
from medevalkit.verdicts import CACHE_NAME, Judges, kappa, read_judges, settings_path

RIGHT, WRONG, LOST = "<judge>0</judge>", "<judge>1</judge>", "no idea"
COMMON = {"source": Source(dataset="toy", licence="CC0-1.0"), "modality": "text"}


def item(number):
    return Question(
        id=f"toy/{number}",
        **COMMON,
        question=f"Where is {number}?",
        answer="left",
        answer_kind="open",
    )


def answer(number):
    return Prediction(
        id=f"said/{number}",
        **COMMON,
        item=f"toy/{number}",
        task="toy",
        model="m",
        prompt_sha256="0" * 64,
        response=f"{number} to the left",
        finish_reason="stop",
    )


@pytest.fixture
def heard(tmp_path):
    """Puts down what judges said: `heard({"first": [RIGHT, …]})`, None where one was not asked."""

    def put(words):
        with Cache(tmp_path / CACHE_NAME) as cache:
            for name, raws in words.items():
                settings = JudgeSettings(model=name, name=name)
                settings_path(tmp_path, name).parent.mkdir(exist_ok=True)
                settings.write(settings_path(tmp_path, name))
                for number, raw in enumerate(raws):
                    if raw is not None:
                        text = prompt(item(number), answer(number), "paper")
                        cache.put(key(settings, text), json.dumps({"raw": raw}))
        return tmp_path

    return put


def test_kappa_agrees_with_the_textbook():
    # 20 and 15 of 50 in common: 0.7 observed, 0.5 by chance.
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([(1, 0), (0, 1)]) == -1
    assert kappa([(1, 1)] * 4) is None
    assert kappa([]) is None


def test_the_majority_decides_and_a_tie_does_not(heard):
    folder = heard(
        {
            "one": [RIGHT, RIGHT, RIGHT, LOST, None],
            "two": [RIGHT, WRONG, WRONG, LOST, None],
            "tri": [WRONG, WRONG, LOST, LOST, None],
        }
    )
    with Judges(folder) as judges:
        said = [judges.about(item(n), answer(n), "strict") for n in range(5)]
    assert [one.verdict for one in said] == ["right", "wrong", "unjudged", "unjudged", "unjudged"]
    assert [len(one.judgements) for one in said] == [3, 3, 3, 3, 0]
    assert said[0].judgements[0].raw == RIGHT


def test_a_closed_answer_is_no_matter_for_judges(heard):
    with Judges(heard({"one": [RIGHT]})) as judges:
        closed = item(0).replace(answer_kind="closed", answer="yes")
        assert judges.about(closed, answer(0), "strict") is None
    with Judges(heard({}) / "none") as judges:
        assert judges.about(item(0), answer(0), "strict") is None


def test_agreement_counts_what_both_could_be_read_on(heard):
    folder = heard(
        {"one": [RIGHT, RIGHT, WRONG, LOST, RIGHT], "two": [RIGHT, WRONG, WRONG, RIGHT, None]}
    )
    with Judges(folder) as judges:
        for number in range(5):
            judges.about(item(number), answer(number), "strict")
        (found,) = judges.agreements()
    assert (found.task, found.first, found.second, found.n) == ("toy", "one", "two", 3)
    assert found.same == pytest.approx(2 / 3, abs=1e-6)
    assert found.kappa == pytest.approx(0.4)


def test_only_the_judges_that_were_named_count(heard):
    folder = heard({"one": [RIGHT], "two": [WRONG]})
    with Judges(folder, ["two"]) as judges:
        assert judges.about(item(0), answer(0), "strict").verdict == "wrong"
    with pytest.raises(SettingsError, match=r"no judge 'onw'; did you mean 'one'\?"):
        read_judges(folder, ["onw"])


def test_a_broken_verdict_is_said(heard):
    folder = heard({"one": []})
    with Cache(folder / CACHE_NAME) as cache:
        settings = JudgeSettings(model="one", name="one")
        cache.put(key(settings, prompt(item(0), answer(0), "paper")), "{")
    with Judges(folder) as judges, pytest.raises(DataError, match="a verdict that is broken"):
        judges.about(item(0), answer(0), "strict")
