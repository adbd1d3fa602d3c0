"""PMC-LLaMA instructions: medical questions, explanations and conversations."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import alpaca
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields an instruction with its response."""
    origin = row.maybe("source") or "unknown"
    yield alpaca(row, intake, split="train", tags={"collection": origin})


SOURCE = Source(
    card=Card(
        title="PMC-LLaMA instructions",
        part=("text",),
        what="Instructions from exams, knowledge graphs and conversations.",
        size="513,999 instructions",
        licence="OpenRAIL",
        access="open",
        home="https://huggingface.co/datasets/axiong/pmc_llama_instructions",
        citation="Wu et al., PMC-LLaMA, JAMIA 2024.",
        layout="`data/train-*.parquet` or an array in JSON with `source`, `instruction`, `input`, "
        "`output`; from description",
        rank=50,
        hub="axiong/pmc_llama_instructions",
    ),
    reader=Either((Parquet(("**/*.parquet",)), JsonRows(("**/*.json*",)))),
    records=records,
    example={
        "source": "umls_relation",
        "sample_id": "u1",
        "instruction": "Assume you have rich medical knowledge, and clarify the relation.",
        "input": "Question: How are Aspirin and platelets related?",
        "output": "Aspirin keeps platelets from clotting.",
    },
)
