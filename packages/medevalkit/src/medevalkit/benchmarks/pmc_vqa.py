"""PMC-VQA, second version: choices about figures of open-access articles (Zhang et al., 2024)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    pictures = next((name for name in ("figures", "images_2") if (folder / name).is_dir()), "")
    for path in require(folder, "test_2.csv"):
        for row in read_rows(path):
            yield {**row, "picture": f"{pictures}/{row['Figure_path']}".lstrip("/")}


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        str(row["index"]),
        row["Question"],
        [row[f"Choice {letter}"] for letter in "ABCD"],
        row["Answer"].strip()[:1],
        images=maker.pictures(row["picture"]),
        modality=Modality.UNKNOWN,
    )


BENCHMARK = Benchmark(
    card=Card(
        title="PMC-VQA",
        kind="multimodal",
        source="RadGenome/PMC-VQA",
        revision="b56ae594f794867893143b337b4118a835794647",
        split="test_2",
        licence="CC-BY-SA",
        citation="Zhang et al., Development of a large-scale medical visual question-answering "
        "dataset, Communications Medicine 2024",
        items=33430,
        pictures=29021,
        paper_items=33430,
        paper_pictures=29021,
        odd=(
            "Questions and options were written by a language model from captions.",
            "Some rows carry labels (`A:`) in the options, others do not; they are taken off.",
            "Licences of the figures differ from article to article.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "index": "7",
        "Figure_path": "PMC1064097_F1.jpg",
        "picture": "figures/PMC1064097_F1.jpg",
        "Caption": "",
        "Question": "What does the arrow point at?",
        "Choice A": " A: A cyst ",
        "Choice B": " B: A fracture ",
        "Choice C": " C: A mass ",
        "Choice D": " D: A vessel ",
        "Answer": "C",
        "split": "test",
    },
    files=("test_2.csv", "images_2.zip"),
    official=Official(label="{text}", tags=False),
)
