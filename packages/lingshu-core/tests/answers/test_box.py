"""Rectangles in the many ways that models write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core.answers import check, overlap, read_boxes
from lingshu_core.golds import BoxGold

BOX = (10, 20, 100, 200)
SIDE = st.floats(min_value=1, max_value=1000, allow_nan=False)
BOXES = st.tuples(SIDE, SIDE, SIDE, SIDE)


@pytest.mark.parametrize(
    "response",
    [
        "[10, 20, 110, 220]", "(10, 20, 110, 220)", "10, 20, 110, 220", "[10.0,20.0,110.0,220.0]",
        "<answer>[10, 20, 110, 220]</answer>", r"\boxed{[10, 20, 110, 220]}",
        '{"bbox_2d": [10, 20, 110, 220], "label": "nodule"}',
        '```json\n[{"bbox_2d": [10, 20, 110, 220]}]\n```', '{"answer": [10, 20, 110, 220]}',
        '{"x": 10, "y": 20, "width": 100, "height": 200}', "x=10, y=20, w=100, h=200",
        '{"x1": 10, "y1": 20, "x2": 110, "y2": 220}', "xmin: 10, ymin: 20, xmax: 110, ymax: 220",
        "(10,20),(110,220)", "<box>(10,20),(110,220)</box>", "from (10, 20) to (110, 220)",
        "left=10, top=20, right=110, bottom=220", "The lesion is at [10, 20, 110, 220].",
        "<think>[0, 0, 5, 5]</think>[10, 20, 110, 220]",
    ],
)  # fmt: skip
def test_a_rectangle_is_read(response):
    assert read_boxes(response) == [BOX]
    assert check(BoxGold(boxes=(BOX,)), response).verdict == "right"


@pytest.mark.parametrize(
    "response",
    ["", "none", "[10, 20, 110]", "[110, 220, 10, 20]", "[10, 20, 10, 220]", "<think>[1, 2, 3, 4]",
     "upper left", '{"x": 10, "y": 20}', '{"x": 1, "y": 2, "width": 0, "height": 3}'],
)  # fmt: skip
def test_no_rectangle_is_read(response):
    assert read_boxes(response) == []
    nothing = check(BoxGold(boxes=(BOX,)), response)
    assert (nothing.verdict, nothing.parsed) == ("wrong", None)


def test_overlap_must_reach_the_least():
    half = "[10, 20, 60, 220]"
    assert check(BoxGold(boxes=(BOX,), iou=0.5), half).verdict == "right"
    assert check(BoxGold(boxes=(BOX,), iou=0.51), half).verdict == "wrong"


def test_every_rectangle_needs_its_own():
    gold = BoxGold(boxes=((0, 0, 10, 10), (100, 100, 10, 10)))
    assert check(gold, "[[100, 100, 110, 110], [0, 0, 10, 10]]").verdict == "right"
    assert check(gold, "[0, 0, 10, 10]").reason == "incomplete"
    assert check(gold, "[[0, 0, 10, 10], [0, 0, 10, 10]]").verdict == "wrong"
    three = "[[0, 0, 10, 10], [100, 100, 110, 110], [50, 50, 60, 60]]"
    assert check(gold, three).reason == "several"


def test_a_matching_is_found_where_the_nearest_would_not_do():
    gold = BoxGold(boxes=((0, 0, 10, 10), (0, 0, 10, 14)), iou=0.5)
    assert check(gold, "[[0, 0, 10, 12], [0, 0, 10, 9]]").verdict == "right"


def test_boxes_without_number_are_no_answer():
    assert check(BoxGold(boxes=(BOX,)), "[10, 20, 110, 220]" * 500).verdict == "wrong"


@given(BOXES, BOXES)
def test_overlap_is_symmetric_and_between_0_and_1(one, other):
    shared = overlap(one, other)
    assert 0 <= shared <= 1 + 1e-9
    assert math.isclose(shared, overlap(other, one), abs_tol=1e-12)
    assert math.isclose(overlap(one, one), 1)
