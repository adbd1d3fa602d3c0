"""How often a checkpoint answers a question right: pass@k, with its picture or without."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from lingshu_core.answers import check
from lingshu_core.checkpoint import checkpoint_parent
from lingshu_core.digest import digest
from lingshu_core.messages import ask
from lingshu_core.recipe import Recipe
from lingshu_core.records import IMAGE_MARK, Question
from lingshu_rl.logbook import Journal
from lingshu_rl.settings import EngineSettings
from lingshu_rl.step import Item

_AT_ONCE = 64
"""Questions between two entries of the journal."""


class Sampler(Recipe):
    """Who answers, and how often."""

    checkpoint: str
    """The checkpoint that training shall start from."""
    samples: int = Field(default=16, ge=1)
    """Answers to each question (k)."""
    max_tokens: int = Field(default=2048, ge=1)
    max_length: int = Field(default=4096, ge=2)
    """Tokens of prompt and answer."""
    max_pixels: int | None = None
    precision: str = Field(default="bfloat16", pattern="^(bfloat16|float32)$")
    engine: EngineSettings = EngineSettings(name="vllm", memory=0.9)


def count_passes(
    items: Iterable[Item], sampler: Sampler, journals: Path, *, seed: int, blind: bool = False
) -> Iterator[tuple[Item, int]]:
    """Yields every item with how many of its answers are right.

    What was counted stands in a journal: a run that was killed goes on there.

    Args:
        items: Questions with golds.
        sampler: Who answers.
        journals: Folder of the journal.
        seed: Decides the answers.
        blind: Whether the pictures are kept back.
    """
    parent = checkpoint_parent(Path(sampler.checkpoint)).digest
    settings = sampler.model_dump(
        mode="json", include={"samples", "max_tokens", "max_length", "max_pixels", "precision"}
    )
    name = digest([parent, settings, sampler.engine.temperature, seed, blind])
    journal = Journal(journals / f"passes-{name[:16]}.jsonl")
    lines = journal.read()
    journal.keep(lines)
    known = {line["id"]: int(line["passes"]) for line in lines}
    source = iter(items)
    answerer: _Answerer | None = None
    while batch := list(islice(source, _AT_ONCE)):
        fresh = [item for item in batch if item.question.id not in known]
        if fresh:
            answerer = answerer or _Answerer(sampler, journals, seed)
            for item, passes in zip(fresh, answerer.passes(fresh, blind=blind), strict=True):
                known[item.question.id] = passes
                journal.add({"id": item.question.id, "passes": passes})
        yield from ((item, known.pop(item.question.id)) for item in batch)
    if answerer is not None:
        answerer.close()


def without_picture(question: Question) -> Question:
    """Returns a question as one is asked who does not see its pictures."""
    text = question.question.replace(IMAGE_MARK, " ")
    return question.replace(question=" ".join(text.split()), images=())


class _Answerer:
    """The engine, started when the first question needs it."""

    def __init__(self, sampler: Sampler, scratch: Path, seed: int) -> None:
        from lingshu_rl.engine import ENGINES, Start
        from lingshu_rl.loading import load_processor, quiet

        quiet()
        self._sampler, self._seed = sampler, seed
        self._processor = load_processor(sampler.checkpoint, sampler.max_pixels)
        self._engine = ENGINES.get(sampler.engine.name).start(
            Start(
                checkpoint=Path(sampler.checkpoint),
                processor=self._processor,
                settings=sampler.engine,
                max_length=sampler.max_length,
                precision=sampler.precision,
                scratch=scratch,
                max_images=8,
            )
        )

    def passes(self, items: Sequence[Item], *, blind: bool) -> list[int]:
        """Returns how many answers to each question are right."""
        from lingshu_rl.engine import Sampling

        sampling = Sampling(
            self._sampler.samples, self._sampler.max_tokens, self._sampler.engine.temperature
        )
        asked = [without_picture(i.question) if blind else i.question for i in items]
        prompts = [self._prompt(q, item) for q, item in zip(asked, items, strict=True)]
        groups = self._engine.generate(prompts, sampling)
        return [self._right(q, group) for q, group in zip(asked, groups, strict=True)]

    def close(self) -> None:
        """Ends the engine."""
        self._engine.close()

    def _prompt(self, question: Question, item: Item) -> Any:
        from lingshu_rl.engine import Prompt, seed_of
        from lingshu_rl.questions import Asked, open_pictures, prompt_ids

        messages = ask(question, "think")
        files = tuple(item.source.file(image, record=question.id) for image in question.images)
        asked = Asked(question, messages, files)
        opened = open_pictures([asked])
        images = [opened[path] for path in files]
        ids = prompt_ids(asked, images, self._processor)
        return Prompt(ids, asked.chat(images), tuple(images), seed_of(self._seed, question.id))

    def _right(self, question: Question, samples: Sequence[Any]) -> int:
        assert question.gold is not None
        options = {option.letter: option.text for option in question.options} or None
        texts = self._processor.batch_decode(
            [sample.ids for sample in samples], skip_special_tokens=True
        )
        verdicts = [check(question.gold, text, options=options).verdict for text in texts]
        return verdicts.count("right")
