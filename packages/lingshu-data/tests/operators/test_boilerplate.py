"""What publishers put into every caption goes, and nothing else does."""

import pytest

from lingshu_core.records import Caption, Image, Source
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item
from lingshu_data.operators.boilerplate import Boilerplate, Settings

PLAIN = "An axial slice shows a round shadow of 2.5 cm beside the heart (arrow)."


def caption(text: str) -> Caption:
    return Caption(
        id="toy/1",
        source=Source(dataset="toy", licence="CC0-1.0"),
        modality="ct",
        images=(Image(path="a.png", sha256="0" * 64, width=80, height=80),),
        text=text,
    )


def judged(text: str):
    return Boilerplate(Settings()).judge(Item(caption(text), None))


@pytest.mark.parametrize(
    "text",
    [
        f"Figure 3. {PLAIN}",
        f"Fig. S2a: {PLAIN}",
        f"<p>{PLAIN}</p>",
        f"{PLAIN} https://example.org/figure/3",
        f"{PLAIN} (This figure appears in colour online.)",
        f"{PLAIN} For interpretation of the references to color, see the article.",
        f"{PLAIN} Reprinted with permission.",
        f"{PLAIN} © 2016 Some Publisher.",
    ],
)
def test_what_is_in_every_caption_goes(text):
    assert judged(text).text == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "Configuration 3 of the coils was used.",
        "Doses < 2 Gy and > 1 Gy were given in turn.",
        "The lesion reproduced the contour of the vessel with contrast.",
    ],
)
def test_a_caption_without_any_is_the_same_record(text):
    record = caption(text)
    assert Boilerplate(Settings()).judge(Item(record, None)) is record


def test_a_caption_of_nothing_else_is_dropped():
    assert judged("Figure 3. https://example.org/3") == Drop("nothing but boilerplate")
