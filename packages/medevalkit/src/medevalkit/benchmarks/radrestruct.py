"""Rad-ReStruct: a structured report of a chest film, question by question (Pellegrini, 2023)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import find, read_json, require

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _rows(folder: Path) -> Iterator[Raw]:
    paths = require(folder, "test_qa_pairs/*.json", "data/radrestruct/test_qa_pairs/*.json")
    base = paths[0].parent.parent
    (mapping,) = require(base, "id_to_img_mapping_frontal_reports.json")
    pictures = read_json(mapping)
    for path in sorted(paths, key=lambda path: int(path.stem)):
        names = [_picture(base, name, folder) for name in pictures[path.stem]]
        for number, (question, answer, history, info) in enumerate(read_json(path)):
            yield {
                "report": path.stem,
                "number": number,
                "question": question,
                "answer": answer,
                "history": history,
                "images": names,
                **info,
            }


def _picture(base: Path, name: str, folder: Path) -> str:
    found = find(base, f"images/{name}.png", f"imgs/{name}.png")
    return (found[0] if found else base / f"images/{name}.png").relative_to(folder).as_posix()


def _record(row: Raw, maker: Maker) -> Question:
    key = f"{row['report']} {row['number']}"
    known = "\n".join(f"{asked} {', '.join(said)}" for asked, said in row["history"])
    question = f"Known so far:\n{known}\n{row['question']}" if known else row["question"]
    fields = {
        "images": maker.pictures(*row["images"]),
        "modality": Modality.XRAY,
        "question_type": row["answer_type"],
        "level": len(row["history"]) + 1 if len(row["history"]) < 2 else 3,
        "topic": row["path"].split("_")[0],
    }
    options = row["options"]
    if set(options) <= {"yes", "no"}:
        return maker.words(key, question, row["answer"][0], **fields)
    letters = "".join(_LETTERS[options.index(text)] for text in row["answer"])
    return maker.choice(key, question, options, letters, **fields)


BENCHMARK = Benchmark(
    card=Card(
        title="Rad-ReStruct",
        kind="multimodal",
        source="https://github.com/ChantalMP/Rad-ReStruct",
        revision=None,
        split="test",
        licence="as its publisher says; pictures of the Indiana collection CC BY-NC-ND 4.0",
        citation="Pellegrini et al., Rad-ReStruct: a novel VQA benchmark and method for structured "
        "radiology reporting, MICCAI 2023",
        items=17641,
        odd=(
            "The set was mended after its paper; these are the counts of the mended one, 360 "
            "reports.",
            "A question is asked with the right answers to the ones above it, not with the model's "
            "own: errors do not pile up as in the publisher's report-level scores.",
            "The official kit asks every question of a report as its last one.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "report": "1015",
        "number": 2,
        "question": "What is the degree?",
        "answer": ["mild"],
        "history": [["Is there a opacity in the lung?", ["yes"]]],
        "images": ["images/CXR1015_IM-0001-1001.png"],
        "answer_type": "multi_choice",
        "options": ["no selection", "mild", "severe"],
        "path": "lung_signs_opacity_degree",
    },
    breakdown=("question_type", "level", "topic"),
    official=Official(label="{text}"),
)
