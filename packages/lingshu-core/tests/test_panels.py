"""What a command shows of its work, as data that can be read again."""

import pytest

from lingshu_core.errors import DataError
from lingshu_core.panels import Facts, Flow, Lines, Series, Stats, Table, read_stats


def test_stats_are_read_again(tmp_path):
    stats = Stats(
        title="Curation",
        package="lingshu-data",
        version="0.1.0",
        command="lingshu-data curate",
        seconds=1.5,
        counts={"in": 4, "out": 3},
        figures={"rate": 0.75},
        panels=(
            Facts(facts={"records": 3, "none": None}),
            Table(columns=("a",), rows=((1,), (0.5,), ("x",), (None,))),
            Lines(x="step", y="loss", series=(Series(name="s", x=(0, 1), y=(1.0, None)),)),
            Flow(links=(("a", "b", 1.0),)),
        ),
    )
    stats.write(tmp_path)
    assert read_stats(tmp_path) == stats


def test_a_figure_that_is_no_number_does_not_break_the_page(tmp_path):
    Stats(
        title="a", package="a", version="0", command="a", figures={"loss": float("nan")},
        panels=(Lines(x="x", y="y", series=(Series(name="s", x=(0,), y=(float("nan"),)),)),),
    ).write(tmp_path)  # fmt: skip
    found = read_stats(tmp_path)
    assert found.figures == {"loss": None} and found.panels[0].series[0].y == (None,)


@pytest.mark.parametrize(
    ("text", "field"),
    [("{}", "title"), ("{", ""), ('{"title": 1}', "title"), ("\xff", "")],
)
def test_broken_stats_are_named(tmp_path, text, field):
    (tmp_path / "stats.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        read_stats(tmp_path)
    assert caught.value.path == tmp_path / "stats.json" and caught.value.field == field


def test_no_stats(tmp_path):
    with pytest.raises(DataError, match=r"has no stats\.json"):
        read_stats(tmp_path)
