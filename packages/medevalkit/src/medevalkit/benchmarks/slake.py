"""SLAKE: a bilingual set of questions with knowledge behind them (Liu et al., 2021)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_MODALITIES = {"CT": Modality.CT, "MRI": Modality.MRI, "X-Ray": Modality.XRAY}


def rows(folder: Path) -> Iterator[Raw]:
    """Yields the rows of the test split."""
    for path in require(folder, "test.json"):
        yield from read_rows(path)


def record(row: Raw, maker: Maker) -> Question:
    """Returns a question in either language."""
    return maker.words(
        str(row["qid"]),
        row["question"],
        str(row["answer"]),
        closed=row["answer_type"].strip() != "OPEN",
        images=maker.pictures(f"imgs/{row['img_name']}"),
        modality=_MODALITIES.get(row["modality"], Modality.UNKNOWN),
        language=row["q_lang"],
        body_part=row["location"],
        question_type=row["content_type"],
        asks_for="knowledge" if row["base_type"] == "kvqa" else "sight",
    )


BENCHMARK = Benchmark(
    card=Card(
        title="SLAKE",
        kind="multimodal",
        source="BoKelvin/SLAKE",
        revision="a9083ce6c34ac3ffb17671a605962924d8a8f9e9",
        split="test",
        licence="CC-BY-4.0",
        citation="Liu et al., SLAKE: a semantically-labeled knowledge-enhanced dataset for medical "
        "visual question answering, ISBI 2021",
        items=2094,
        pictures=180,
        paper_items=2094,
        paper_pictures=180,
        odd=(
            "English and Chinese are pooled, as in the paper; slake-en and slake-zh keep them "
            "apart.",
            "Closed questions are not all yes or no: 206 have words like Left, T2 or a Chinese "
            "yes/no of their own as answer.",
            "Golds are written Yes and No with a capital, which the official kit misses at its "
            "head.",
        ),
    ),
    rows=rows,
    record=record,
    example={
        "img_id": 102,
        "img_name": "xmlab102/source.jpg",
        "question": "Which organ is bigger in this image, the lung or the heart?",
        "answer": "Lung",
        "q_lang": "en",
        "location": "Lung",
        "modality": "CT",
        "answer_type": "CLOSED",
        "base_type": "vqa",
        "qid": 11935,
        "content_type": "Size",
    },
    files=("test.json", "imgs.zip"),
    breakdown=("language", "question_type", "body_part", "asks_for"),
    official=Official(strip=False, closed="slake"),
)
