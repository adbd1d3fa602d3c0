"""Curation keeps, drops with a reason, and loses nothing."""

import json

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_data.curate import curate
from lingshu_data.operator import OPERATORS
from lingshu_data.settings import CurateSettings, Running

FILTER = {"operator": "picture-filter"}
DEDUP = {"operator": "picture-dedup"}


def run(folder, *steps, name="in", out="out", **running):
    paths = [folder / name] if isinstance(name, str) else [folder / one for one in name]
    curate(paths, folder / out, CurateSettings(steps=steps), Running(**running))
    return folder / out


def reasons(out):
    return {record.id: record.tags["dropped_reason"] for record in Manifest(out / "dropped")}


def test_every_record_is_kept_dropped_or_set_aside(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    good = toy.imaging(png(noise(1)))
    small = toy.imaging(png(noise(2, 63, 200)))
    blank = toy.imaging(png(noise(3).point(lambda _: 7)))
    cut = toy.imaging(png(noise(4))[:300])
    toy.close()
    part = tmp_path / "in" / "part-00000.jsonl"
    lines = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join([*lines[:3], b"{broken\n", lines[3]]))
    (tmp_path / "in" / "manifest.json").unlink()
    out = run(tmp_path, FILTER, name="in/part-00000.jsonl")
    counts = read_stats(out).counts
    assert counts["in"] == counts["kept"] + counts["dropped"] + counts["set_aside"] == 5
    assert [record.id for record in Manifest(out)] == [good.id]
    assert reasons(out) == {
        small.id: "smaller than 64 px",
        blank.id: "blank",
        cut.id: "unreadable",
    }
    aside = [json.loads(line) for line in (out / "set-aside.jsonl").read_bytes().splitlines()]
    assert [item["place"] for item in aside] == ["part-00000.jsonl:4"]
    assert aside[0]["line"] == "{broken"


def test_records_without_their_pictures_are_set_aside_and_the_run_goes_on(
    tmp_path, build, pictures
):
    noise, png = pictures
    toy = build()
    first, second = toy.imaging(png(noise(1))), toy.imaging(png(noise(2)))
    toy.close()
    (tmp_path / "in" / first.images[0].path).unlink()
    out = run(tmp_path, FILTER)
    assert [record.id for record in Manifest(out)] == [second.id]
    aside = json.loads((out / "set-aside.jsonl").read_bytes())
    assert aside["kind"] == "a file is missing" and first.id in aside["line"]


def test_an_unknown_operator_or_setting_is_named(tmp_path, build):
    build().close()
    with pytest.raises(SettingsError, match="did you mean 'picture_filter'"):
        run(tmp_path, {"operator": "picture-filtre"})
    with pytest.raises(SettingsError, match="'leastside' is unknown; did you mean 'least_side'"):
        run(tmp_path, {"operator": "picture-filter", "leastside": 3})
    with pytest.raises(SettingsError, match="names no operator"):
        run(tmp_path, {"least_side": 3})


def test_policy_limits_a_step_to_datasets_and_types(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    toy.imaging(png(noise(2, 40, 40)), dataset="kept-small")
    toy.imaging(png(noise(3, 40, 40)), dataset="roco")
    toy.close()
    out = run(tmp_path, {**FILTER, "datasets": ["roc*"]})
    assert [record.source.dataset for record in Manifest(out)] == ["kept-small"]
    out = run(tmp_path, {**FILTER, "types": ["caption"]}, out="second")
    assert len(Manifest(out)) == 2


@pytest.mark.slow
def test_output_is_the_same_for_any_number_of_workers_and_shares(nano, tmp_path):
    steps = (FILTER, {**DEDUP, "within": ["type"]}, {"operator": "caption-length"})
    settings = CurateSettings(steps=steps)
    curate([nano], tmp_path / "one", settings, Running())
    curate([nano], tmp_path / "two", settings, Running(workers=2))
    one, two = Manifest(tmp_path / "one"), Manifest(tmp_path / "two")
    assert one.digest() == two.digest()
    dropped = [Manifest(path / "dropped").digest() for path in (one.path, two.path)]
    assert dropped[0] == dropped[1]
    assert read_stats(one.path).counts == read_stats(two.path).counts


def test_again_does_nothing_and_other_settings_are_refused(tmp_path, build, pictures, capsys):
    noise, png = pictures
    toy = build()
    toy.imaging(png(noise(1)))
    toy.close()
    out = run(tmp_path, FILTER)
    before = (out / "manifest.json").stat().st_mtime_ns
    # As a kill leaves it that comes after the output has appeared.
    work = out.with_name(f".{out.name}.work")
    (work / "shards").mkdir(parents=True)
    run(tmp_path, FILTER)
    assert "made already" in capsys.readouterr().err
    assert not work.exists()
    assert (out / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(SettingsError, match="other settings"):
        run(tmp_path, {**FILTER, "least_side": 10})


def test_nano_loses_what_was_planted_in_it(nano, tmp_path):
    steps = (FILTER, {**DEDUP, "within": ["type"]}, {"operator": "caption-length"})
    curate([nano], tmp_path / "out", CurateSettings(steps=steps), Running())
    planted = {r.id: r.tags["planted"] for r in Manifest(nano) if "planted" in r.tags}
    gone = {record.id: record for record in Manifest(tmp_path / "out" / "dropped")}
    kept_for = {record.tags.get("dropped_for") for record in gone.values()}
    for name, plant in planted.items():
        # Of two equal pictures either may stay.
        assert name in gone or name in kept_for, plant


@pytest.mark.parametrize("empty", [True, False])
def test_every_operator_takes_nothing_and_what_it_does_not_apply_to(
    tmp_path, build, pictures, empty
):
    noise, png = pictures
    toy = build()
    if not empty:
        toy.imaging(png(noise(1)))
    toy.close()
    # Two of them need an index or takes, and have commands of their own.
    names = set(OPERATORS.names()) - {"decontamination", "mixture"}
    steps = [{"operator": name, "types": ["report"]} for name in sorted(names)]
    assert len(Manifest(run(tmp_path, *steps))) == (0 if empty else 1)
