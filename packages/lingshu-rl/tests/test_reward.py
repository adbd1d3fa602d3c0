import pytest

from lingshu_core.golds import ChoiceGold, PhraseGold
from lingshu_core.records import Option, Question, Source
from lingshu_rl.reward import REWARDS, Scorer, Verdict
from lingshu_rl.settings import Reward

QUESTION = Question(
    id="toy/1",
    source=Source(dataset="toy", licence="CC0-1.0"),
    modality="text",
    question="Dark or bright?",
    answer="A",
    answer_kind="choice",
    options=(Option(letter="A", text="dark"), Option(letter="B", text="bright")),
    gold=ChoiceGold(letter="A", text="dark"),
)
PAPER = {"format": Reward(weight=0.5), "accuracy": Reward(weight=1.0)}
GOOD = "<think>It is dark.</think><answer>A</answer>"


@pytest.mark.parametrize("name", REWARDS.names())
def test_contract(name: str):
    reward = REWARDS.get(name)
    assert reward.name == name and reward.summary
    right = reward.score(QUESTION, GOOD)
    assert right.value == 1.0 and right.reason
    for response in ("", "x" * 100_000, "<think>" * 1000, "\x00", "<answer>A</answer>" * 50):
        value = reward.score(QUESTION, response).value
        assert value is not None and 0 <= value <= 1


def test_weights_are_the_papers():
    scorer = Scorer(PAPER)
    [both, form, truth, neither] = scorer(
        (QUESTION, text)
        for text in (
            GOOD,
            "<think>It is bright.</think><answer>B</answer>",
            "<answer>A</answer>",
            "no idea",
        )
    )
    assert [scorer.total(s) for s in (both, form, truth, neither)] == [1.5, 0.5, 1.0, 0.0]


def test_reward_depends_on_the_response():
    scorer = Scorer(PAPER)
    totals = {
        scorer.total(s) for s in scorer([(QUESTION, GOOD), (QUESTION, GOOD.replace(">A<", ">B<"))])
    }
    assert len(totals) == 2


OPENED = QUESTION.replace(
    answer_kind="open",
    options=(),
    answer="renal calculus",
    gold=PhraseGold(accepted=("renal calculus",)),
)
UNKNOWN = "<think>A stone.</think><answer>nephrolith of the pelvis</answer>"


def test_referee_is_asked_only_where_rules_are_silent():
    asked = []

    def referee(pairs):
        asked.extend(pairs)
        return [Verdict(1.0, "judged")] * len(pairs)

    scorer = Scorer(PAPER, referee)
    [one, two] = scorer([(OPENED, UNKNOWN), (QUESTION, GOOD)])
    assert asked == [(OPENED, UNKNOWN)]
    assert scorer.total(one) == scorer.total(two) == 1.5


def test_silent_referee_means_no_reward_at_all():
    scorer = Scorer(PAPER, lambda pairs: [Verdict(None, "judge_failed")] * len(pairs))
    [scored] = scorer([(OPENED, UNKNOWN)])
    assert [scored.value(name) for name in scorer.names] == [None, None]
    assert scorer.total(scored) is None


def test_without_referee_unknown_is_wrong():
    scorer = Scorer(PAPER)
    assert scorer.total(scorer([(OPENED, UNKNOWN)])[0]) == 0.5


def test_columns_are_what_trl_takes():
    scorer = Scorer(PAPER)
    columns = scorer.columns()
    assert [column.__name__ for column in columns] == ["format", "accuracy"]
    completions = [
        [{"role": "assistant", "content": GOOD}],
        [{"role": "assistant", "content": "A"}],
    ]
    values = [
        column(prompts=[], completions=completions, record=[QUESTION] * 2, trainer_state=None)
        for column in columns
    ]
    assert values == [[1.0, 0.0], [1.0, 1.0]]


def test_batch_is_scored_once_for_all_columns():
    calls = []
    scorer = Scorer(
        PAPER, lambda pairs: calls.append(len(pairs)) or [Verdict(0.0, "judged")] * len(pairs)
    )
    for column in scorer.columns():
        column(completions=[UNKNOWN], record=[OPENED])
    assert calls == [1]
