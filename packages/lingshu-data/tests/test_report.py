"""The report follows every record from its dataset to the end, and shows what was left out."""

import shutil
from pathlib import Path

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import Facts, Flow, Gallery, Table, read_stats
from lingshu_data.curate import curate
from lingshu_data.decontaminate import decontaminate
from lingshu_data.report import report
from lingshu_data.settings import CurateSettings, DecontaminateSettings, Running
from lingshu_data.survey import find

PRODUCER = Producer(package="tests", version="0", command="pytest", settings="0")

STEPS = ({"operator": "picture-filter"}, {"operator": "picture-dedup"})


@pytest.fixture
def run(tmp_path, build, pictures) -> Path:
    """Returns a run: 3 copies, one small picture, one that is evaluated on, one more."""
    noise, png = pictures
    toy, held = build("run/in"), build("run/held")
    for dataset in ("one", "one", "two"):
        toy.imaging(png(noise(1)), dataset=dataset)
    toy.imaging(png(noise(2, 40, 90)), dataset="two")
    toy.imaging(png(noise(3)), dataset="two")
    toy.imaging(png(noise(4)), dataset="two")
    held.imaging(png(noise(3)), dataset="exam")
    toy.close()
    held.close()
    folder = tmp_path / "run"
    curate([folder / "in"], folder / "curated", CurateSettings(steps=STEPS), Running())
    settings = DecontaminateSettings()
    decontaminate([folder / "curated"], [folder / "held"], folder / "clean", settings, Running())
    return folder


def panel(stats, kind, title):
    return next(p for p in stats.panels if isinstance(p, kind) and p.title.startswith(title))


def test_every_record_is_followed_to_its_end(run, tmp_path):
    report([run], tmp_path / "page")
    stats = read_stats(tmp_path / "page")
    links = panel(stats, Flow, "From source").links
    came = {name: sum(n for source, _, n in links if source == name) for name in ("one", "two")}
    assert came == {"one": 2, "two": 4}
    assert sum(n for _, target, n in links if target == "curated") == 3
    assert ("curated", "clean", 2) in links
    assert sum(n for source, target, n in links if source == "curated" and target != "clean") == 1
    account = panel(stats, Facts, "The account").facts
    assert account == {
        "records at the start": 7,
        "left out at a step": 4,
        "set aside": 0,
        "taken in by no step": 1,
        "in clean": 2,
    }
    strip = panel(stats, Gallery, "One picture 3 times")
    assert [picture.badge for picture in strip.pictures] == ["kept", "same bytes", "same bytes"]
    overlaps = panel(stats, Table, "Overlaps with")
    assert [row[:2] for row in overlaps.rows] == [("two", "exam")]
    assert "smaller than 64 px" in str(panel(stats, Table, "Left out").rows)


def test_the_page_is_one_file_and_nothing_else_is_written_over(run, tmp_path):
    report([run / "clean"], tmp_path / "page")
    text = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert 'src="plotly' not in text and "data:image/png;base64" in text
    with pytest.raises(SettingsError, match="holds something else"):
        report([run], run / "clean")
    with pytest.raises(SettingsError, match="there is no manifest"):
        report([tmp_path / "page" / "thumbnails"], tmp_path / "other")


def test_names_are_told_apart_by_the_folders_around_them(tmp_path, build, pictures):
    noise, png = pictures
    for number, name in enumerate(("one", "two")):
        toy = build(f"{name}/in")
        toy.imaging(png(noise(number)))
        toy.close()
    alone = build("other")
    alone.close()
    found = find([tmp_path / "one" / "in", tmp_path / "two" / "in", tmp_path / "other"])
    assert [survey.label for survey in found] == ["one/in", "two/in", "other"]


def test_a_part_that_is_the_whole_is_no_step_of_its_own(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    toy.imaging(png(noise(1)))
    toy.close()
    whole = Manifest(tmp_path / "in")
    with ManifestWriter(tmp_path / "test", producer=PRODUCER, parents=[whole.parent()]) as writer:
        for record in whole:
            writer.write(record, source=whole)
    [survey] = find([tmp_path / "test"])
    assert survey.digest == whole.digest() and survey.parents == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_flow_and_strips(run, tmp_path, width):
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Chromium")
    report([run], tmp_path / "page")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900})
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((tmp_path / "page" / "index.html").as_uri())
        page.wait_for_selector(".sankey-node")
        assert page.locator(".sankey-node").count() >= 6
        assert page.get_by_text("One picture 3 times").count() == 1
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        browser.close()
    assert wide == 0 and not faults
