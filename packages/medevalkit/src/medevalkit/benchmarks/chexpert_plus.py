"""CheXpert Plus: its 234 validation films, one item each (Chambon et al., 2024)."""

from collections.abc import Iterator
from pathlib import Path

from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.benchmarks.mimic_cxr import record
from medevalkit.rawfiles import find, read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    (path,) = require(folder, "df_chexpert_plus_240401.csv", "df_chexpert_plus*.csv")
    for row in read_rows(path):
        if row["split"] != "valid":
            continue
        name = row["path_to_image"]
        stem = name.rpartition(".")[0]
        shown = find(folder, f"PNG/{stem}.png", f"PNG/PNG/{stem}.png", name, f"images/{name}")
        picture = shown[0].relative_to(folder).as_posix() if shown else f"PNG/{stem}.png"
        yield {
            "study_id": name,
            "image": [picture],
            "findings": row["section_findings"],
            "impression": row["section_impression"],
            "indication": row.get("section_clinical_history", ""),
        }


BENCHMARK = Benchmark(
    card=Card(
        title="CheXpert Plus",
        kind="report",
        source="https://stanfordaimi.azurewebsites.net/datasets/5158c524-d3ab-4e02-96e9-6ee9efc110a1",
        revision=None,
        split="valid",
        licence="Stanford University Dataset Research Use Agreement",
        citation="Chambon et al., CheXpert Plus: augmenting a large chest X-ray dataset with text "
        "radiology reports, patient demographics and additional image formats, 2024",
        items=234,
        paper_items=234,
        paper_pictures=234,
        odd=(
            "200 studies with 234 films: every film is an item of its own, so that 34 reports "
            "count more than once. Reports without findings and impression are set aside.",
        ),
    ),
    rows=_rows,
    record=record,
    example={
        "study_id": "valid/patient64541/study1/view1_frontal.jpg",
        "image": ["PNG/valid/patient64541/study1/view1_frontal.png"],
        "findings": "",
        "impression": "No acute disease.",
    },
)
