"""What is in a manifest, counted."""

from lingshu_core.tally import Tally, tally_panels


def test_counts_side_by_side(question):
    one, other = Tally(), Tally()
    for number in range(3):
        one.add(question(number))
    other.add(question(3, modality="ct"))
    table, bars = tally_panels({"one": one, "other": other})
    assert table.columns == ("manifest", "question", "all")
    assert table.rows == (("one", 3, 3), ("other", 1, 1))
    assert [(series.name, series.x, series.y) for series in bars.series] == [
        ("one", ("ct", "xray"), (0, 3)),
        ("other", ("ct", "xray"), (1, 0)),
    ]


def test_nothing_to_count():
    table, bars = tally_panels({"none": Tally()})
    assert table.rows == (("none", 0),) and bars.series[0].x == ()
