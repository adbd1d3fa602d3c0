"""MIMIC-CXR: chest films and reports, the official test split (Johnson et al., 2019)."""

import re
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import Report
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import find, read_rows, require

_HEADING = re.compile(r"^[ \t]*([A-Z][A-Z /()-]{3,}?)[ \t]*:", re.MULTILINE)
_FINDINGS = {"FINDINGS", "FINDING", "FINDINGS AND IMPRESSION"}
_IMPRESSION = {"IMPRESSION", "CONCLUSION", "CONCLUSIONS"}
_INDICATION = {"INDICATION", "HISTORY", "REASON FOR EXAM", "REASON FOR EXAMINATION"}


def _rows(folder: Path) -> Iterator[Raw]:
    if whole := find(folder, "test.json"):
        yield from _of_kit(whole[0])
        return
    split = require(folder, "mimic-cxr-2.0.0-split.csv", "mimic-cxr-2.*-split.csv")[0]
    studies: dict[tuple[str, str], list[str]] = {}
    for row in read_rows(split):
        if row["split"] == "test":
            key = (row["subject_id"], row["study_id"])
            studies.setdefault(key, []).append(row["dicom_id"])
    for (subject, study), pictures in sorted(studies.items()):
        place = f"files/p{subject[:2]}/p{subject}/s{study}"
        path = next(iter(find(folder, f"{place}.txt", f"reports/{place}.txt")), None)
        sections = {} if path is None else sections_of(path.read_text(encoding="utf-8"))
        yield {
            "study_id": study,
            "image": [f"{place}/{name}.jpg" for name in sorted(pictures)],
            "findings": sections.get("findings", ""),
            "impression": sections.get("impression", ""),
            "indication": sections.get("indication", ""),
        }


def _of_kit(path: Path) -> Iterator[Raw]:
    """Yields the rows of a `test.json` as the official kit wants it."""
    for number, row in enumerate(read_rows(path)):
        pictures = row["image"] if isinstance(row["image"], list) else [row["image"]]
        yield {"study_id": row.get("study_id", number), **row, "image": pictures}


def sections_of(text: str) -> dict[str, str]:
    """Returns findings, impression and indication of a report by its headings in capitals."""
    found: dict[str, str] = {}
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        body = " ".join(text[heading.end() : end].split())
        for name, known in (
            ("findings", _FINDINGS),
            ("impression", _IMPRESSION),
            ("indication", _INDICATION),
        ):
            if heading[1].strip() in known and body:
                found.setdefault(name, body)
    return found


def record(row: Raw, maker: Maker) -> Report:
    """Returns a report; DataError where findings and impression are both missing."""
    findings, impression = row.get("findings") or "", row.get("impression") or ""
    if not findings.strip() and not impression.strip():
        raise DataError("has neither findings nor impression")
    return maker.report(
        str(row["study_id"]),
        findings,
        impression,
        images=maker.pictures(*row["image"]),
        modality=Modality.XRAY,
        indication=row.get("indication") or None,
    )


BENCHMARK = Benchmark(
    card=Card(
        title="MIMIC-CXR",
        kind="report",
        source="https://physionet.org/content/mimic-cxr-jpg/",
        revision=None,
        split="test",
        licence="PhysioNet Credentialed Health Data License 1.5.0",
        citation="Johnson et al., MIMIC-CXR, a de-identified publicly available database of chest "
        "radiographs with free-text reports, Scientific Data 6, 2019",
        items=None,
        paper_items=2195,
        paper_pictures=3681,
        odd=(
            "Built here from the split file, the reports and the pictures that PhysioNet hands out "
            "to those it has admitted. The paper's test.json is not published, so that its 2,195 "
            "studies cannot be checked; theirs can be read in its place.",
            "Reports without findings and impression are set aside, as the paper does.",
        ),
    ),
    rows=_rows,
    record=record,
    example={
        "study_id": "50000000",
        "image": ["files/p10/p10000000/s50000000/a.jpg", "files/p10/p10000000/s50000000/b.jpg"],
        "findings": "The lungs are clear.",
        "impression": "No acute disease.",
    },
    official=Official(report="\n        {prompt}\n        "),
)
