"""Words for what records say in identifiers: modalities, labels, places in a picture."""

import re

from lingshu_core.modality import Modality
from lingshu_core.records import Box

MODALITY_WORDS = {
    Modality.XRAY: ("X-ray", "an X-ray"),
    Modality.CT: ("CT", "a CT scan"),
    Modality.MRI: ("MRI", "an MRI scan"),
    Modality.PET: ("PET", "a PET scan"),
    Modality.ULTRASOUND: ("ultrasound", "an ultrasound picture"),
    Modality.MAMMOGRAPHY: ("mammography", "a mammogram"),
    Modality.ANGIOGRAPHY: ("angiography", "an angiogram"),
    Modality.HISTOPATHOLOGY: ("histopathology", "a histopathology picture"),
    Modality.MICROSCOPY: ("microscopy", "a microscopy picture"),
    Modality.DERMOSCOPY: ("dermoscopy", "a dermoscopy picture"),
    Modality.FUNDUS: ("fundus", "a fundus photograph"),
    Modality.OCT: ("OCT", "an OCT scan"),
    Modality.ENDOSCOPY: ("endoscopy", "an endoscopy picture"),
    Modality.PHOTOGRAPH: ("photograph", "a clinical photograph"),
}
"""One word, and the words that go into a sentence. What is missing here is not asked about."""

_MIDDLE = 0.08
_SAME_SIDE = 0.75
_SEPARATORS = re.compile(r"[_\s]+")
_NO_NAME = re.compile(
    r"(?:label|class|value|segment)? ?\d+|regions? of interest|roi|mask|foreground"
)
"""What stands for a value of a mask of which the publisher does not say what it marks."""

# What is seen together with what: neither is a wrong answer where the other is right.
_CONTAINS = {
    "chest": {"lung", "heart", "rib", "mediastinum", "pleura", "thorax", "trachea", "aorta"},
    "abdomen": {
        "liver", "kidney", "spleen", "stomach", "pancreas", "bowel", "colon", "intestine",
        "gallbladder", "aorta", "adrenal gland",
    },
    "pelvis": {"bladder", "prostate", "uterus", "ovary", "rectum", "hip"},
    "head": {"brain", "skull", "eye", "sinus", "orbit"},
    "eye": {"retina", "fundus", "macula", "optic disc"},
    "gastrointestinal tract": {"stomach", "colon", "esophagus", "rectum", "bowel", "intestine"},
    "blood": {"red blood cell", "white blood cell", "platelet"},
}  # fmt: skip


def readable(label: str) -> str:
    """Returns a label as it stands in a sentence: `Pleural_Thickening` is `pleural thickening`.

    Abbreviations keep their capitals: `WBC`, `T2 lesion`.
    """
    words = _SEPARATORS.sub(" ", label).strip().split(" ")
    return " ".join(word if _is_abbreviation(word) else word.lower() for word in words)


def is_name(label: str) -> bool:
    """Says whether a label names something: `label 32` and `region of interest` do not."""
    return not _NO_NAME.fullmatch(readable(label).casefold())


def same(one: str, other: str) -> bool:
    """Says whether two labels are the same words."""
    return readable(one).casefold() == readable(other).casefold()


def overlaps(one: str, other: str) -> bool:
    """Says whether two names of organs can both be true of one picture.

    The same organ, a part and its whole, and one name within the other (`lung`, `left lung`).
    """
    first, second = readable(one).casefold(), readable(other).casefold()
    if first in second or second in first:
        return True
    return any(_within(part, whole) for part, whole in ((first, second), (second, first)))


def _within(part: str, whole: str) -> bool:
    parts = _CONTAINS.get(whole, set())
    return any(name in part for name in parts)


def _is_abbreviation(word: str) -> bool:
    return len(word) > 1 and sum(letter.isupper() or letter.isdigit() for letter in word) > 1


def side(boxes: tuple[Box, ...], width: int) -> str | None:
    """Returns `left` or `right` where all boxes lie clearly in that half of the picture."""
    return _half([(b.x, b.width) for b in boxes], width, ("left", "right"))


def level(boxes: tuple[Box, ...], height: int) -> str | None:
    """Returns `upper` or `lower` where all boxes lie clearly in that half of the picture."""
    return _half([(b.y, b.height) for b in boxes], height, ("upper", "lower"))


def _half(spans: list[tuple[float, float]], size: int, names: tuple[str, str]) -> str | None:
    found = {_half_of(start, length, size) for start, length in spans}
    if len(found) != 1:
        return None
    index = found.pop()
    return None if index is None else names[index]


def _half_of(start: float, length: float, size: int) -> int | None:
    centre = (start + length / 2) / size
    if abs(centre - 0.5) < _MIDDLE:
        return None
    inside = max(0.0, min(start + length, size / 2) - start) / length
    if centre < 0.5:
        return 0 if inside >= _SAME_SIDE else None
    return 1 if 1 - inside >= _SAME_SIDE else None


def place(box: Box, width: int, height: int) -> str:
    """Returns where in the picture a box lies, in ninths: `upper left part`, `centre`."""
    columns = ("left", "", "right")
    rows = ("upper", "", "lower")
    column = columns[min(2, int(3 * (box.x + box.width / 2) / width))]
    row = rows[min(2, int(3 * (box.y + box.height / 2) / height))]
    if not row and not column:
        return "centre"
    if not row:
        return f"{column} part"
    return f"{row} {column or 'middle'} part"


def listed(words: list[str], last: str = "and") -> str:
    """Returns words as a list in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
