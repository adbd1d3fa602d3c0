"""The page as a browser shows it: loaded in parts, filtered, searched; words are never run."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lingshu_core.recipe import load_recipe
from medevalkit.page.report import write_report
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings

pytestmark = pytest.mark.browser
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">B"


def scored(task: Path, out: Path, model: str) -> Path:
    run(load_recipe(RunSettings, None, [f"model={model}", f'tasks=["manifest:{task}"]']), out)
    score(out, ["strict", "official"])
    return out


@pytest.fixture
def pages(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the page of two runs over 96 items, in parts small enough to be many."""
    monkeypatch.setattr("medevalkit.page.parts._PART", 5000)
    monkeypatch.setattr("medevalkit.page.parts.LABELS", 10)
    monkeypatch.setattr("medevalkit.page.report.LABELS", 10)
    task = toy(96, pictures=6)
    runs = [
        scored(task, tmp_path / "b", f"constant:{EVIL}"),
        scored(task, tmp_path / "a", "oracle"),
    ]
    gone = sorted((task / "images").rglob("*.png"))[0]
    gone.unlink()
    write_report(runs, tmp_path / "page")
    return tmp_path / "page" / "index.html"


class Shown:
    """A page in Chromium, and what it complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def count(self) -> str:
        return str(self.page.locator("#count").inner_text())

    def overflow(self) -> int:
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@pytest.fixture
def opened(pages: Path, request: pytest.FixtureRequest) -> Iterator[Shown]:
    width, scheme = getattr(request, "param", (1280, "light"))
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Chromium")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        shown = Shown(page)
        page.goto(pages.as_uri())
        page.wait_for_selector("#detail .answer")
        yield shown
        browser.close()


@pytest.mark.parametrize("opened", [(1280, "light"), (390, "dark")], indirect=True)
def test_it_fits_and_complains_about_nothing(opened: Shown):
    page = opened.page
    assert opened.overflow() == 0
    for chart in ("#overview", "#shares", "#bars", "#radar"):
        assert page.locator(f"{chart} svg").bounding_box()["width"] > 200
    assert opened.count() == "96 of 96 items"
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(28, 25, 23)") == page.evaluate(
        "matchMedia('(prefers-color-scheme: dark)').matches"
    )
    assert not opened.faults


def test_a_response_with_a_script_is_shown_and_not_run(opened: Shown):
    page = opened.page
    said = page.locator("#detail .answer pre", has_text="document.title")
    assert said.first.inner_text() == EVIL
    assert page.locator("#detail .answer img").count() == 0
    assert page.title() != "owned" and "<script>" in page.title()
    assert not opened.faults


def test_the_list_goes_to_its_end_by_key_and_scroll(opened: Shown):
    page = opened.page
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.getElementById('detail').textContent.includes('in 1?')")
    page.evaluate("document.getElementById('list').scrollTop = 1e6")
    page.wait_for_function(
        "[...document.querySelectorAll('#list .row b')].some(b => b.textContent.includes('lungs'))"
    )
    page.locator("#list .row").last.click()
    page.wait_for_function("document.querySelector('#detail h3').textContent.includes('report')")
    assert not opened.faults


def test_pictures_are_shown_and_a_missing_one_is_said(opened: Shown):
    page = opened.page
    page.locator("#list").focus()
    found = []
    for place in range(6):
        page.wait_for_function(f"chosen === {place} && !!document.querySelector('.pictures')")
        page.wait_for_timeout(100)
        image = page.locator("#detail .pictures img")
        found.append(image.evaluate("i => i.naturalWidth") if image.count() else 0)
        page.keyboard.press("ArrowDown")
    assert sorted(found) == [0, 64, 64, 64, 64, 64]
    assert not opened.faults


def counted(opened: Shown, text: str) -> None:
    """Waits until the list says how many items are left."""
    opened.page.wait_for_function(
        "text => document.getElementById('count').innerText === text", arg=text
    )


def test_typed_words_are_found_in_every_part(opened: Shown):
    page = opened.page
    assert page.evaluate("items.parts.length") > 3
    page.locator("#words").press_sequentially("ORGAN", delay=20)
    counted(opened, "24 of 96 items")  # the tag of every closed question
    page.locator("#words").fill("liver shown in 93?")
    counted(opened, "1 of 96 items")
    page.wait_for_function("document.getElementById('detail').innerText.includes('shown in 93?')")
    page.locator("#words").fill("no such words")
    counted(opened, "0 of 96 items")
    assert "No item is left" in page.locator("#detail").inner_text()
    page.locator("#words").fill("")
    counted(opened, "96 of 96 items")
    assert not opened.faults


def test_filters_leave_what_they_name_and_search_looks_within(opened: Shown):
    page = opened.page
    page.select_option("#kind", label="closed")
    counted(opened, "24 of 96 items")
    page.select_option("#modality", label="ct")
    counted(opened, "8 of 96 items")
    page.locator("#words").press_sequentially("which modality", delay=5)
    counted(opened, "0 of 96 items")
    page.locator("#words").fill("liver")
    counted(opened, "8 of 96 items")
    page.select_option("#modality", label="all")
    counted(opened, "24 of 96 items")
    page.locator("#list .row").nth(3).click()
    page.wait_for_function("document.querySelector('#detail h3').textContent.includes('closed')")
    assert not opened.faults
