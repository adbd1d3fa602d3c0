"""Exam questions as pictures: all of the text is there, and no two pages look alike."""

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image as Picture

from lingshu_core.errors import SettingsError
from lingshu_synth.generator import Page
from lingshu_synth.rendering.fonts import face, families
from lingshu_synth.rendering.notation import parse
from lingshu_synth.rendering.paper import draw_page
from lingshu_synth.settings import PageStyle

PLAIN = PageStyle(rotation=0, noise=0, blur=0, width=(900, 900), size=(24, 24))
CHINESE = find_spec("mplfonts") is not None


def page(text="Which salt is formed?", options=(), language="en", seed="1", style=PLAIN):
    return Page(text, tuple(options), language, seed, style)


def ink(image):
    grey = np.asarray(image.convert("L")).astype(int)
    return int((grey < grey.max() - 70).sum())


def test_the_same_page_is_the_same_picture_and_another_seed_another():
    style = PageStyle()
    one, same, other = (draw_page(page(seed=s, style=style)) for s in ("1", "1", "2"))
    assert one.tobytes() == same.tobytes()
    assert one.size != other.size or one.tobytes() != other.tobytes()


@pytest.mark.slow
def test_looks_vary_in_paper_size_and_width():
    drawn = [draw_page(page(seed=str(n), style=PageStyle())) for n in range(12)]
    assert len({image.width for image in drawn}) > 6
    papers = {tuple(int(c) // 8 for c in np.asarray(i)[3, 3]) for i in drawn}
    assert len(papers) > 3


def test_options_take_ink_and_room():
    bare = draw_page(page())
    full = draw_page(page(options=[f"{letter}. {'NaCl and water ' * 6}" for letter in "ABCD"]))
    assert full.height > bare.height and ink(full) > 2 * ink(bare)


@pytest.mark.parametrize("word", ["unbreakable" * 30, "x" * 400])
def test_no_word_runs_off_the_page(word):
    image = draw_page(page(word))
    grey = np.asarray(image.convert("L")).astype(int)
    edges = np.concatenate([grey[:, :4].ravel(), grey[:, -4:].ravel()])
    assert edges.min() > 120, "the margins stay clean"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("H2SO4", ["2", "4"], []),
        ("Ca2+", [], ["2+"]),
        ("x^{10}", [], ["10"]),
        ("a_1", ["1"], []),
        ("6CO2 + 2NH4+", ["2", "4"], ["+"]),
        ("L5S1, 2C3", [], []),
    ],
)
def test_notation(text, low, high):
    runs = parse(text)
    assert [run.text for run in runs if run.style == "sub"] == low
    assert [run.text for run in runs if run.style == "sup"] == high


@pytest.mark.slow
def test_formulas_are_set_and_signs_are_signs():
    assert any(run.style == "math" for run in parse(r"Let $\frac{a}{b}$ be given."))
    assert "→" in "".join(run.text for run in parse("A -> B"))
    image = draw_page(page(r"Solve $\frac{x^2}{1+x} = \sqrt{2}$ for x."))
    assert ink(image) > 300


@pytest.mark.slow
def test_broken_formulas_are_written_as_they_are():
    assert ink(draw_page(page(r"What is $\frac{a}{$ here? A price of $5 and $6."))) > 300


@pytest.mark.slow
@pytest.mark.skipif(not CHINESE, reason="the fonts of lingshu-synth[zh] are not installed")
@pytest.mark.parametrize("family", families("zh"))
def test_chinese_has_its_own_fonts(family):
    assert all(face(family).has(character) for character in "下列哪种酶参与糖酵解？")
    text = "下列哪一种酶参与糖酵解的限速步骤？" * 4
    image = draw_page(page(text, ("A. 己糖激酶", "B. 乳酸脱氢酶"), language="zh"))
    assert isinstance(image, Picture.Image) and ink(image) > 2000


def test_without_chinese_fonts_it_says_what_to_install(monkeypatch):
    from lingshu_synth.rendering import fonts

    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda name: None)
    face.cache_clear()
    with pytest.raises(SettingsError, match=r"lingshu-synth\[zh\]"):
        face("song")
