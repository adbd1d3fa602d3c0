"""IU-Xray, the 590 test studies (Demner-Fushman et al., 2016; split of Chen et al., 2020)."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from lingshu_core.errors import DataError
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.benchmarks.mimic_cxr import record
from medevalkit.rawfiles import find, read_json, require


def rows(folder: Path, split: str) -> Iterator[Raw]:
    """Yields the studies of a split, `test` or `val`.

    Understood are ReXrank's `ReXRank_IUXray_SPLIT.json`, a `SPLIT.json` as the official kit has it,
    and R2Gen's `annotation.json` beside the reports of the Indiana collection
    (`ecgen-radiology/*.xml`), which say what is finding and what impression.
    """
    named = "valid" if split == "val" else split
    if ranked := find(folder, f"ReXRank_IUXray_{named}.json"):
        for key, study in read_json(ranked[0]).items():
            yield _study(key, study, study["image_path"])
    elif listed := find(folder, f"{split}.json", f"{named}.json"):
        for number, study in enumerate(read_json(listed[0])):
            yield _study(str(study.get("id", number)), study, study["image"])
    else:
        (annotation,) = require(folder, "annotation.json")
        for study in read_json(annotation)[split]:
            pictures = [f"images/{path}" for path in study["image_path"]]
            yield _study(study["id"], _sections(folder, study["id"]), pictures)


def _study(key: str, study: dict[str, str], pictures: list[str] | str) -> Raw:
    return {
        "study_id": key,
        "image": [pictures] if isinstance(pictures, str) else pictures,
        "findings": study.get("findings") or "",
        "impression": study.get("impression") or "",
        "indication": study.get("indication") or "",
    }


def _sections(folder: Path, key: str) -> dict[str, str]:
    number = re.match(r"CXR(\d+)", key)
    path = folder / "ecgen-radiology" / f"{number[1]}.xml" if number else folder / "no report"
    if not path.is_file():
        raise DataError(f"there is no report {path.name} for the study {key}", path=folder)
    try:
        tree = ElementTree.parse(path)
    except ElementTree.ParseError as error:
        raise DataError(f"is no XML: {error}", path=path) from None
    return {part.get("Label", "").lower(): part.text or "" for part in tree.iter("AbstractText")}


def _rows(folder: Path) -> Iterator[Raw]:
    yield from rows(folder, "test")


BENCHMARK = Benchmark(
    card=Card(
        title="IU-Xray (test, 590 studies)",
        kind="report",
        source="https://openi.nlm.nih.gov/",
        revision=None,
        split="test",
        licence="CC-BY-NC-ND-4.0",
        citation="Demner-Fushman et al., Preparing a collection of radiology examinations for "
        "distribution and retrieval, JAMIA 2016",
        items=590,
        odd=(
            "This is the test split. The paper's numbers are on the 296 studies of the validation "
            "split: see iu-xray-296.",
            "Words that were removed to protect patients stand as XXXX.",
        ),
    ),
    rows=_rows,
    record=record,
    example={
        "study_id": "CXR1_1_IM-0001",
        "image": ["images/CXR1_1_IM-0001/0.png", "images/CXR1_1_IM-0001/1.png"],
        "findings": "The heart is normal. The lungs are clear.",
        "impression": "Normal chest.",
    },
)
