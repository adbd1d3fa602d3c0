"""Pages: every kind of panel, in one file or beside its script, and as a browser shows it."""

import os
import re
import shutil

import pytest

from lingshu_core.errors import DataError
from lingshu_core.page import SCRIPT_NAME, Section, publish, shown, write_page
from lingshu_core.panels import (
    Bars,
    Facts,
    Flow,
    Gallery,
    Lines,
    Marked,
    Picture,
    Prose,
    Radar,
    Series,
    Stats,
    Table,
)

KINDS = tuple(str(kind) for kind in ("xray", "ct", "mri", "ultrasound", "histopathology", "fundus"))
LONG = "a finding with a name that goes on " * 4


def stats(folder, png, title="Curation of a small collection"):
    """Every kind of panel, with long names, many rows, gaps and markup in the texts."""
    (folder / "thumbs").mkdir(exist_ok=True)
    pictures = []
    for number in range(7):
        path = f"thumbs/{number}.png"
        colour = (30 * number, 90, 140)
        (folder / path).write_bytes(png(60 + 20 * number, 80, colour))
        pictures.append(Picture(path=path, caption=f"<i>{LONG[: 12 * number]}</i>", badge="CT"))
    steps, held_out = tuple(range(60)), (2.4, None, 1.0, 0.7, 0.5, 0.4)
    loss = tuple(2.5 * 0.95**step for step in steps)
    scores = tuple(0.3 + 0.1 * number for number in range(6))
    before, after = (
        Series(name="before", x=KINDS, y=scores),
        Series(name="after", x=KINDS, y=scores[::-1]),
    )
    rows = [
        (LONG, 3, 0.51234, None),
        ("b", 40_000, 1.0, "x" * 60),
        *((k, 1, 0.5, "") for k in KINDS),
    ]
    return Stats(
        title=title,
        summary="What came in, what was dropped & why: <b>nothing</b> is lost.",
        package="lingshu-data",
        version="0.1.0",
        command="lingshu-data curate",
        panels=(
            Facts(title="In short", facts={"records in": 12_345_678, "kept": 0.98765, "left": None,
                  "digest": "0123456789abcdef" * 2}, wide=True),
            Flow(title="Where the records went", wide=True, note="From left to right.",
                 links=(("ingest", "size", 1000.0), ("size", "duplicates", 940.0),
                        ("size", "too small", 60.0), ("duplicates", "kept", 800.0),
                        ("duplicates", "dropped as a near duplicate", 140.0))),
            Lines(title="Loss", x="step", y="loss", log_y=True,
                  series=(Series(name="training", x=steps, y=loss),
                          Series(name="held out", x=steps[::10], y=held_out))),
            Lines(title="Reward", x="step", y="mean reward",
                  series=(Series(name="reward", x=(0, 1, 2, 3), y=(0.1, 0.2, 0.4, 0.45)),)),
            Bars(title="By modality", y="records", series=(before, after), stacked=True),
            Bars(title="Dropped by reason", x="records", horizontal=True,
                 series=(Series(name="records", x=(LONG[:50], "too small", "duplicate"),
                                y=(3, 20, 140)),)),
            Radar(title="Scores", series=(before, after)),
            Prose(title="A record", text='{"id": "a/1",\n "text": "' + LONG + '"}'),
            Table(title="Every step", columns=("step", "records", "share", "why"),
                  rows=tuple(rows), wide=True),
            Gallery(title="Examples", note="One of each.", pictures=tuple(pictures), wide=True),
        ),
    )  # fmt: skip


def test_a_page_beside_its_script(tmp_path, png):
    publish(tmp_path, stats(tmp_path, png))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f'<script src="{SCRIPT_NAME}">' in page and (tmp_path / SCRIPT_NAME).stat().st_size > 1e6
    assert page.count("Plotly.newPlot(") == 6 and page.count("data:image/png;base64,") == 7
    assert "&lt;b&gt;nothing&lt;/b&gt;" in page and "<b>nothing" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert str(tmp_path) not in page


def test_a_page_in_one_file(tmp_path, png):
    section = Section(stats(tmp_path, png), tmp_path, {"took": "3 s"})
    out = tmp_path / "elsewhere" / "page.html"
    write_page(out, title="A <run>", lead="", sections=[section, section], script="inline")
    assert os.listdir(out.parent) == ["page.html"] and out.stat().st_size > 1e6  # noqa: PTH208
    page = out.read_text(encoding="utf-8")
    assert "<title>A &lt;run&gt;</title>" in page and 'href="#section-1"' in page


def test_a_page_without_charts_needs_no_script(tmp_path):
    short = Stats(title="a", package="a", version="0", command="a", panels=(Prose(text="a"),))
    publish(tmp_path, short)
    assert not (tmp_path / SCRIPT_NAME).exists()
    assert "plotly" not in (tmp_path / "index.html").read_text(encoding="utf-8").lower()


def test_marked_passages_keep_their_order_and_their_spaces(tmp_path):
    marked = Marked(passages=(("user\n", "soft"), ("a  b", "plain"), ("yes", "strong")))
    publish(tmp_path, Stats(title="a", package="a", version="0", command="a", panels=(marked,)))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert (
        '<pre><span class="soft">user\n</span><span class="plain">a  b</span>'
        '<span class="strong">yes</span></pre>'
    ) in page


def test_text_cannot_become_a_script(tmp_path):
    evil = "</script><script>document.title = 'evil'</script>"
    panels = (
        Prose(title=evil, text=evil),
        Marked(title=evil, passages=((evil, "strong"),)),
        Table(title=evil, columns=(evil,), rows=((evil,),)),
        Bars(title=evil, series=(Series(name=evil, x=(evil,), y=(1,)),)),
    )
    publish(tmp_path, Stats(title=evil, package="a", version="0", command="a", panels=panels))
    assert "<script>document" not in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "\N{EN DASH}"), (float("nan"), "\N{EN DASH}"),
        (12345678, "12,345,678"), (0, "0"), (-3, "-3"),
        (0.98765, "0.988"), (1.0, "1.000"), (0.0, "0.000"), (1.5e-5, "1.5e-05"),
        (12345.678, "12,345.7"), ("a", "a"),
    ],
)  # fmt: skip
def test_figures_as_people_read_them(cell, text):
    assert shown(cell) == text


def test_equal_pages_are_equal_bytes(tmp_path, png):
    pages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        publish(tmp_path / name, stats(tmp_path / name, png))
        pages.append((tmp_path / name / "index.html").read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.parametrize("path", ["none.png", "../a.png", "/etc/hostname"])
def test_a_picture_that_is_not_there(tmp_path, png, path):
    gallery = Gallery(pictures=(Picture(path=path),))
    with pytest.raises(DataError):
        publish(
            tmp_path, Stats(title="a", package="a", version="0", command="a", panels=(gallery,))
        )
    assert not (tmp_path / "index.html").exists()


@pytest.fixture
def browser():
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Chromium")
    words = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
    words += "disable-component-update disable-sync"
    quiet = [f"--{word}" for word in words.split()]
    with api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=path, args=quiet)
        yield found
        found.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("script", ["beside", "inline"])
def test_a_browser_shows_every_panel(tmp_path, png, browser, width, script):
    sections = [
        Section(stats(tmp_path, png, title), tmp_path, {"command": "ingest", "took": "3 s"})
        for title in ("Ingest", "Curation of a small collection", "Deep alignment")
    ]
    out = tmp_path / "index.html"
    write_page(out, title="A small run", lead="All of it.", sections=sections, script=script)
    page = browser.new_page(viewport={"width": width, "height": 900})
    errors = []
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto(out.as_uri())
    page.wait_for_function("document.querySelectorAll('.chart .main-svg').length >= 18")
    assert errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for kind, count in {"img": 21, "table": 3, "pre": 3, ".facts": 3, ".chart": 18}.items():
        assert page.locator(kind).count() == count
    out_of_card = page.evaluate(
        """[...document.querySelectorAll('.card')].filter(card => [...card.children].some(
             child => child.getBoundingClientRect().right > card.getBoundingClientRect().right + 1
           )).map(card => card.innerText.slice(0, 40))"""
    )
    assert out_of_card == []
    assert page.locator("img").evaluate_all("all => all.every(i => i.naturalWidth > 0)") is True
    page.screenshot(path=tmp_path / "page.png", full_page=True)
