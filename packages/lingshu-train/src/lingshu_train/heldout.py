"""Held-out samples, looked at while a stage trains: their loss, and some of them answered."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from lingshu_core.messages import Message, ask, to_messages
from lingshu_core.records import RecordBase
from lingshu_train.dealing import Row as Numbers
from lingshu_train.dealing import deal
from lingshu_train.engine import Engine
from lingshu_train.kinds import TASKS
from lingshu_train.loader import Rows
from lingshu_train.loss import sample_means
from lingshu_train.metrics import HeldoutNote, Means
from lingshu_train.model import generating
from lingshu_train.settings import Evaluation
from lingshu_train.world import World

LOG_NAME = "log/generations.jsonl"


class Generation(BaseModel):
    """A held-out sample as the model answered it."""

    model_config = ConfigDict(frozen=True)

    step: int
    record: str
    question: str
    gold: str
    answer: str
    picture: str | None
    """A small copy, relative to the run's folder."""


class Heldout:
    """The held-out samples of a run.

    Args:
        rows: Makes rows of the held-out manifest.
        processor: Writes the prompts and reads the answers.
        settings: How many, and when.
        world: The ranks.
        out: The run's folder.
    """

    def __init__(
        self, rows: Rows, processor: Any, *, settings: Evaluation, world: World, out: Path
    ) -> None:
        mixture = self._mixture = rows.mixture
        self._rows = rows
        self._processor = processor
        self._settings = settings
        self._world = world
        self._out = out
        # Drawn by a hash of the id: the same ones in every run, and of all kinds.
        drawn = np.argsort(mixture.lengths.draw, kind="stable")
        self._samples = drawn[: settings.samples].astype(np.int32)
        self._hand = self._deal()

    def due(self, step: int) -> bool:
        """Says whether it is time to look."""
        every = self._settings.every
        return every is not None and step % every == 0

    def look(self, engine: Engine, step: int) -> HeldoutNote:
        """Takes the loss over the held-out samples and answers some of them."""
        note = self._loss(engine, step)
        if self._settings.generations:
            self._answer(engine, step)
        return note

    def _deal(self) -> list[Numbers]:
        lengths = self._mixture.lengths
        return deal(
            [self._samples],
            mode="step",
            lengths=lengths.tokens,
            costs=lengths.tokens.astype(np.float64),
            capacity=self._mixture.codec.max_length,
            ranks=self._world.size,
        )[self._world.rank]

    def _loss(self, engine: Engine, step: int) -> HeldoutNote:
        lengths = self._mixture.lengths
        by_source, by_task = Means(lengths.sources), Means(TASKS)
        for numbers in self._hand:
            row = self._rows[numbers].to(self._world.device)
            losses, right = engine.judged(row)
            samples = list(row.samples)
            by_source.add(lengths.source[samples], sample_means(losses, row))
            by_task.add(lengths.task[samples], sample_means(right, row) == 1)
        sources, tasks = by_source.over(self._world), by_task.over(self._world)
        total = sum(count for _, count in sources.values())
        return HeldoutNote(
            step=step,
            loss=sum(mean * count for mean, count in sources.values()) / max(1, total),
            sources={name: mean for name, (mean, _) in sources.items()},
            exact={name: mean for name, (mean, _) in tasks.items()},
            counts={name: count for name, (_, count) in tasks.items()},
        )

    def _answer(self, engine: Engine, step: int) -> None:
        chosen = self._samples[: self._settings.generations].tolist()
        records = [self._mixture.record(number) for number in chosen]
        answers = self._generate(engine, records)
        if not self._world.first:
            return
        lines = [
            Generation(
                step=step,
                record=record.id,
                question=_words(ask(record)[-1]),
                gold=to_messages(record)[-1].text,
                answer=answer,
                picture=self._thumbnail(record),
            ).model_dump_json()
            for record, answer in zip(records, answers, strict=True)
        ]
        with (self._out / LOG_NAME).open("a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    def _generate(self, engine: Engine, records: Sequence[RecordBase]) -> list[str]:
        with generating(engine.supervised.model) as model:
            inputs = self._prompts(records).to(self._world.device)
            output = model.generate(
                **inputs, max_new_tokens=self._settings.max_new_tokens, do_sample=False
            )
        new = output[:, inputs["input_ids"].shape[1] :]
        answers: list[str] = self._processor.batch_decode(new, skip_special_tokens=True)
        return answers

    def _prompts(self, records: Sequence[RecordBase]) -> Any:
        from PIL import Image as Pillow

        texts, pictures = [], []
        for record in records:
            messages = [chat(message) for message in ask(record)]
            texts.append(
                self._processor.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=True
                )
            )
            for image in record.images:
                with Pillow.open(self._mixture.manifest.file(image)) as picture:
                    pictures.append(picture.convert("RGB"))
        return self._processor(
            text=texts, images=pictures or None, padding=True, padding_side="left",
            return_tensors="pt",
        )  # fmt: skip

    def _thumbnail(self, record: RecordBase) -> str | None:
        from PIL import Image as Pillow

        if not record.images:
            return None
        name = f"log/pictures/{record.images[0].sha256[:16]}.jpg"
        path = self._out / name
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with Pillow.open(self._mixture.manifest.file(record.images[0])) as picture:
                small = picture.convert("RGB")
                small.thumbnail((160, 160))
                small.save(path, quality=85)
        return name


def read_generations(out: Path) -> list[Generation]:
    """Returns what a run has answered so far."""
    path = out / LOG_NAME
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Generation.model_validate(json.loads(line)) for line in lines]


def chat(message: Message) -> dict[str, Any]:
    """Returns a message as chat templates take it."""
    content = [
        {"type": "image"} if piece.image else {"type": "text", "text": piece.text}
        for piece in message.content
    ]
    return {"role": message.role, "content": content}


def _words(message: Message) -> str:
    return "".join(piece.text or "<image>" for piece in message.content)
