"""ApolloCorpus: medical texts in six languages, rewritten as questions and answers."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation
from lingshu_data.reader import Entry, Reader, Row, matching
from lingshu_data.readers.json_rows import array_items
from lingshu_data.source import Card, Source

_LANGUAGE = re.compile(r"_(en|zh|fr|es|hi|ar)(?:_|$)")


class Pairs(Reader):
    """Arrays of lists of texts: question, answer, question, answer."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The files of the supervised part."""
        return ("**/sft/*.json",)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the lists with the language that the file's name tells."""
        for path in matching(root, self.needs[0]):
            name = path.relative_to(root).as_posix()
            said = _LANGUAGE.search(path.stem)
            for number, item in array_items(path):
                values = {
                    "texts": item,
                    "file": path.stem,
                    "language": said.group(1) if said else "en",
                }
                yield Row(values, f"{name}:{number}")

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row]:
        """Yields the lists."""
        yield from entries


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a list of texts as a conversation."""
    texts = row.values["texts"]
    if not isinstance(texts, list) or len(texts) < 2 or not all(isinstance(t, str) for t in texts):
        raise DataError("is no list of questions and answers", field="texts")
    roles = ("user", "assistant")
    turns = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    yield conversation(
        turns,
        intake,
        language=row.text("language"),
        split="train",
        tags={"collection": row.text("file")},
    )


SOURCE = Source(
    card=Card(
        title="ApolloCorpus",
        part=("text",),
        what="Medical books, guidelines, articles, exams and dialogues in six languages, as "
        "questions and answers.",
        size="2.5 B tokens",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/FreedomIntelligence/ApolloCorpus",
        citation="Wang et al., Apollo, 2024.",
        layout="`ApolloCorpus.zip` unpacked: `train/sft/SOURCE_LANGUAGE_*.json`, arrays of lists "
        "of texts; the archive seen in public code, its content from description",
        rank=55,
        hub="FreedomIntelligence/ApolloCorpus",
    ),
    reader=Pairs(),
    records=records,
    example={
        "texts": ["What does insulin do?", "It lowers the sugar in the blood."],
        "file": "medicalExam_en_clean",
        "language": "en",
    },
)
