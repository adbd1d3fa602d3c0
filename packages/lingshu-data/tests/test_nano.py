"""The small collection keeps what it promises."""

from collections import Counter, defaultdict

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.records import Imaging
from lingshu_core.validation import validate
from lingshu_data.ingest import ingest
from lingshu_data.nano.plan import plan
from lingshu_data.nano.wheels import WHEELS
from lingshu_data.settings import Running
from lingshu_data.sources.nano import NanoSettings


def test_training_and_test_share_no_picture_source():
    groups = defaultdict(set)
    for view in plan(950, 0):
        if view.planted is None:
            groups[view.split].add(view.group)
    assert not groups["train"] & groups["test"]


def test_every_modality_is_on_both_sides_in_the_promised_shares():
    views = [view for view in plan(950, 3) if view.planted is None]
    whole = Counter(view.modality for view in views)
    test = Counter(view.modality for view in views if view.split == "test")
    assert len(whole) == 8
    assert all(test[modality] >= 0.13 * count for modality, count in whole.items())


def test_real_pictures_are_on_both_sides_where_there_are_two():
    sides = defaultdict(list)
    for wheel in WHEELS:
        sides[wheel.modality].append(wheel.split)
    assert all(set(split) == {"train", "test"} for split in sides.values() if len(split) > 1)


def test_findings_are_there_in_half_of_the_views_and_in_every_quarter():
    views = [view for view in plan(950, 0) if view.planted is None]
    places = Counter(view.place for view in views)
    assert abs(places[None] / len(views) - 0.5) < 0.03
    assert all(places[x, y] > 0.1 * len(views) for x in (0, 1) for y in (0, 1))


def test_five_percent_are_planted():
    views = plan(950, 0)
    share = sum(view.planted is not None for view in views) / len(views)
    assert 0.04 < share < 0.06


def test_records_are_whole_and_say_what_was_drawn(nano):
    assert validate(Manifest(nano), deep=True).faults == []
    for record in Manifest(nano).of(Imaging):
        (finding, presence), *_ = record.labels.items()
        assert (presence == "present") == bool(record.boxes)
        for box in record.boxes:
            image = record.images[0]
            assert box.x > 0 and box.x + box.width < image.width
            left = box.x + box.width / 2 < image.width / 2
            assert record.metadata["side"] == ("left" if left else "right")
            assert record.metadata["finding_drawn"] == finding == box.label


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_number_of_workers(nano, tmp_path):
    ingest("nano", None, tmp_path / "two", NanoSettings(views=44), Running(workers=2))
    one, two = Manifest(nano), Manifest(tmp_path / "two")
    assert one.digest() == two.digest()


@pytest.mark.slow
def test_another_seed_gives_other_pictures(nano, tmp_path):
    ingest("nano", None, tmp_path / "other", NanoSettings(views=44, seed=1), Running())
    shas = [
        {image.sha256 for r in Manifest(p) for image in r.images}
        for p in (nano, tmp_path / "other")
    ]
    assert not shas[0] & shas[1]


@pytest.mark.parametrize("limit", [1, 5])
def test_limit_reads_so_many_rows(tmp_path, limit):
    ingest("nano", None, tmp_path / "few", NanoSettings(views=44, limit=limit), Running())
    assert len(list(Manifest(tmp_path / "few").of(Imaging))) == limit
