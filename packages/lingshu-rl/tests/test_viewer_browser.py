"""The page of rollouts as a browser shows it: found, filtered, every verdict beside its answer."""

import shutil
from pathlib import Path

import pytest
import rl_rollouts
import rl_toy

from lingshu_rl.viewer import write_viewer


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewer")
    run = rl_rollouts.write_run(folder / "run", rl_toy.questions(folder, 8), 2, 24)
    assert write_viewer(run, folder / "page") == 2 * 24 * 16
    return folder / "page" / "index.html"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_every_answer(page_file: Path, width: int):
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Chromium")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900})
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector("#detail .answer")
        assert page.locator("#detail .answer").count() == 16
        assert page.locator("#detail .answer", has_text="accuracy").count() == 16
        assert page.locator("#detail img").evaluate("image => image.naturalWidth") > 0
        assert page.locator("#count").inner_text() == "48 of 48 groups"
        page.select_option("#from", "1")
        assert page.locator("#count").inner_text() == "24 of 48 groups"
        page.fill("#search", "no question says this")
        assert page.locator("#count").inner_text() == "0 of 48 groups"
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        browser.close()
    assert wide == 0 and not faults
