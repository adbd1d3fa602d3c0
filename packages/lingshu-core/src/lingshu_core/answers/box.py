"""Rectangles: read out of a response and compared by overlap."""

import re

from lingshu_core.answers.results import Check
from lingshu_core.answers.tags import marked
from lingshu_core.golds import BoxGold

Box = tuple[float, float, float, float]
"""Left, top, width, height."""

_N = r"\s{0,9}([-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s{0,9}"
_OBJECT = re.compile(r"\{[^{}]{0,600}\}")
_FIELD = re.compile(
    r"[\"']?\b(x_?min|y_?min|x_?max|y_?max|x1|y1|x2|y2|left|top|right|bottom|width|height|x|y|w"
    r"|h)\b[\"']?"
    rf"\s{{0,9}}[:=]{_N}",
    re.I,
)
_CORNERS = re.compile(rf"[\[(<]{_N},{_N},{_N},{_N}[\])>]")
_POINTS = re.compile(rf"\({_N},{_N}\)\s{{0,9}},?\s{{0,9}}(?:to\s)?\({_N},{_N}\)")
_BARE = re.compile(
    rf"(?:{_N},){{3}}{_N}(?:,{_N},{_N},{_N},{_N}){{0,49}}"
    r"|(?:[0-9]{1,9}(?:\.[0-9]{1,9})?\s{1,9}){3}[0-9]{1,9}(?:\.[0-9]{1,9})?"
)
_NUMBER = re.compile(r"[-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_DENIED = re.compile(
    r"(?:\b(?:not|never|except|outside)|n't)\b[^.;:\n\[\](){}<0-9]{0,24}[\[({<0-9]", re.I
)
_MOST = 100
_NAMES = {"x_min": "x1", "xmin": "x1", "left": "x1", "y_min": "y1", "ymin": "y1", "top": "y1",
          "x_max": "x2", "xmax": "x2", "right": "x2", "y_max": "y2", "ymax": "y2", "bottom": "y2",
          "width": "w", "height": "h"}  # fmt: skip


def read_boxes(response: str) -> list[Box]:
    """Returns the rectangles that a response commits to, at most 100, in order.

    Four bare numbers are two corners `x1, y1, x2, y2`, as Qwen2.5-VL writes them, so are two
    points; `x, y, width, height` is read where the numbers carry these names. A rectangle without
    area is none.
    """
    text, _ = marked(response, json_too=False)
    found: list[tuple[int, Box]] = []
    for whole in _OBJECT.finditer(text):
        box = _named(whole[0])
        if box:
            found.append((whole.start(), box))
    if not found:
        box = _named(text[:2000])
        found = [(0, box)] if box else []
    if not found:
        for pattern in (_POINTS, _CORNERS):
            for match in pattern.finditer(text):
                box = _from_corners(*map(float, match.groups()))
                if box:
                    found.append((match.start(), box))
            if found:
                break
    if not found and _BARE.fullmatch(text.strip()[:4000]):
        numbers = list(map(float, _NUMBER.findall(text[:4000])))
        boxes = (_from_corners(*numbers[i : i + 4]) for i in range(0, len(numbers), 4))
        found = [(0, box) for box in boxes if box]
    return [box for _, box in found[: _MOST + 1]]


def _named(text: str) -> Box | None:
    fields: dict[str, float] = {}
    for match in _FIELD.finditer(text):
        name = match[1].lower()
        fields.setdefault(_NAMES.get(name, name), float(match[2]))
    if {"x1", "y1", "x2", "y2"} <= fields.keys():
        return _from_corners(fields["x1"], fields["y1"], fields["x2"], fields["y2"])
    x, y = fields.get("x", fields.get("x1")), fields.get("y", fields.get("y1"))
    width, height = fields.get("w", 0.0), fields.get("h", 0.0)
    if x is None or y is None or width <= 0 or height <= 0:
        return None
    return x, y, width, height


def _from_corners(x1: float, y1: float, x2: float, y2: float) -> Box | None:
    return (x1, y1, x2 - x1, y2 - y1) if x2 > x1 and y2 > y1 else None


def overlap(one: Box, other: Box) -> float:
    """Returns the intersection over the union of two rectangles, from 0 to 1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def check_box(gold: BoxGold, response: str) -> Check:
    """Checks rectangles: as many as the gold has, each over one of its own by `gold.iou`."""
    boxes = read_boxes(response)
    if not boxes:
        return Check.unparsed("no_box")
    if _DENIED.search(marked(response, json_too=False)[0]):
        return Check.unparsed("negated")
    parsed = "; ".join("[" + ", ".join(f"{side:g}" for side in box) + "]" for box in boxes[:10])
    if len(boxes) != len(gold.boxes):
        return Check.of(False, parsed, "several" if len(boxes) > len(gold.boxes) else "incomplete")
    near = [
        [i for i, box in enumerate(boxes) if overlap(box, wanted) >= gold.iou]
        for wanted in gold.boxes
    ]
    return Check.of(_all_matched(near), parsed, "overlap")


def _all_matched(near: list[list[int]]) -> bool:
    """Tells whether every gold can have an own answer (bipartite matching)."""
    taken: dict[int, int] = {}

    def place(gold: int, tried: set[int]) -> bool:
        for box in near[gold]:
            if box in tried:
                continue
            tried.add(box)
            if box not in taken or place(taken[box], tried):
                taken[box] = gold
                return True
        return False

    return all(place(gold, set()) for gold in range(len(near)))
