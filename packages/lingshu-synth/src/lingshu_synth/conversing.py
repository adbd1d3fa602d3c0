"""Questions about one picture, put one after another in one conversation."""

from collections.abc import Iterator, Sequence

from lingshu_core.digest import record_id
from lingshu_core.messages import to_messages
from lingshu_core.records import Dialogue, Question, Turn
from lingshu_synth.phrasing import rank
from lingshu_synth.settings import VqaSettings


def conversations(questions: Sequence[Question], settings: VqaSettings) -> Iterator[Dialogue]:
    """Yields conversations of `settings.turns` questions, the last with as many as are left.

    Each question is put in the words in which it would be put alone, and the picture is shown once.
    The order is drawn, so that no kind of question always comes first.

    Args:
        questions: Of one picture.
        settings: The seed, and how many questions belong together.
    """
    drawn = sorted(questions, key=lambda question: rank(settings.seed, question.id, "turn"))
    for start in range(0, len(drawn), settings.turns):
        together = drawn[start : start + settings.turns]
        first = together[0]
        yield Dialogue(
            id=record_id(first.source.dataset, "conversation", *(one.id for one in together)),
            source=first.source,
            domain=first.domain,
            modality=first.modality,
            language=first.language,
            images=first.images,
            provenance=first.provenance,
            turns=tuple(turn for one in together for turn in _turns(one)),
        )


def _turns(question: Question) -> Iterator[Turn]:
    for message in to_messages(question):
        yield Turn(role=message.role, text=message.text)
