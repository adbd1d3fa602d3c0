"""PMC-VQA: questions with options about figures of PubMed Central."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import choice, pictures_of, place_of, without_letter
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question about a figure."""
    figure = row.text("Figure_path")
    # The published files write some of the headings with a space at the end.
    columns = {name.strip(): name for name in row.values}
    options = [without_letter(row.text(columns[f"Choice {letter}"])) for letter in "ABCD"]
    answer = row.maybe(columns.get("Answer_label", "")) or row.text("Answer")
    yield choice(
        intake,
        row.text("Question"),
        options,
        place_of(answer, options),
        images=pictures_of(intake, f"images/{figure}|figures/{figure}|images_2/{figure}"),
        split=row.maybe("split"),
        group=intake.group(figure.partition("_")[0]),
    )


SOURCE = Source(
    card=Card(
        title="PMC-VQA",
        part=("instruction", "rl"),
        what="Questions with four options about figures of PubMed Central, written by a model.",
        size="226,946 questions on 149,075 pictures",
        licence="CC-BY-SA",
        access="open",
        home="https://github.com/xiaoman-zhang/PMC-VQA",
        citation="Zhang et al., PMC-VQA, 2024.",
        layout="`train.csv`, `train_2.csv`, `test.csv` and so on with `Figure_path`, `Question`, "
        "`Choice A` to `D`, `Answer_label` or `Answer`, pictures unpacked to `images/`; from "
        "description",
        rank=62,
        hub="xmcmic/PMC-VQA",
    ),
    reader=Table(("**/t*.csv",), splits={"train": "train", "test": "test"}),
    records=records,
    example={
        "Figure_path": "PMC1064097_F1.jpg",
        "Question": "What is the uptake pattern in the breast?",
        "Answer": "Focal uptake pattern",
        "Choice A ": " A:Diffuse uptake pattern ",
        "Choice B ": " B:Focal uptake pattern ",
        "Choice C ": " C:No uptake pattern ",
        "Choice D ": " D:Cannot determine from the information given ",
        "Answer_label": "B",
        "split": "train",
    },
)
