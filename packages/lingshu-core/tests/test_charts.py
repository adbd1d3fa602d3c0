"""Charts are figures that Plotly takes."""

import pytest

from lingshu_core.charts import figure
from lingshu_core.panels import Bars, Flow, Lines, Radar, Series

TWO = (Series(name="a", x=("x", "y"), y=(1, 2)), Series(name="b", x=("x", "y"), y=(3, None)))
PANELS = [
    Lines(x="step", y="loss", series=TWO, log_y=True),
    Lines(x="step", y="loss", series=(Series(name="long", x=tuple(range(20)), y=(1.0,) * 20),)),
    Lines(x="step", y="loss", series=()),
    Bars(series=TWO, stacked=True, y="records"),
    Bars(series=TWO, horizontal=True),
    Bars(series=()),
    Radar(series=TWO),
    Radar(series=(Series(name="none", x=(), y=()),)),
    Flow(links=(("a", "b", 2.0), ("b", "c", 1.0), ("a", "c", 1.0))),
    Flow(links=()),
]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.kind)
def test_plotly_takes_every_chart(panel):
    go = pytest.importorskip("plotly.graph_objects")
    drawn = figure(panel)
    # It refuses whatever property or value it does not know.
    again = go.Figure(data=drawn["data"], layout=drawn["layout"]).to_plotly_json()
    assert len(again["data"]) == len(drawn["data"])
    assert again["layout"]["height"] >= 200


def test_what_is_drawn():
    stacked, lying = figure(PANELS[3]), figure(PANELS[4])
    assert stacked["layout"]["barmode"] == "stack" and stacked["data"][1]["y"] == [3, None]
    assert lying["data"][0]["x"] == [1, 2] and lying["data"][0]["orientation"] == "h"
    assert figure(PANELS[0])["layout"]["yaxis"]["type"] == "log"
    assert figure(PANELS[6])["data"][0]["theta"] == ["x", "y", "x"]
    flow = figure(PANELS[8])["data"][0]
    assert flow["node"]["label"] == ["a", "b", "c"] and flow["link"]["target"] == [1, 2, 2]
    assert figure(PANELS[1])["layout"]["showlegend"] is False


def test_names_stay_names():
    axis = figure(Bars(series=(Series(name="a", x=("2020", "1" * 30), y=(1, 2)),)))["layout"][
        "xaxis"
    ]
    assert axis["type"] == "category" and axis["tickvals"] == ["2020", "1" * 30]
    assert (
        "type"
        not in figure(Bars(series=(Series(name="a", x=(1, 2), y=(1, 2)),)))["layout"]["xaxis"]
    )


@pytest.mark.parametrize(
    ("values", "step"),
    [((1, 0, 2), 1), ((1, None), 1), ((0.5, 1), None), ((1, 7), None), ((), 1)],
)
def test_an_axis_of_few_counts_shows_whole_ones(values, step):
    bars = (Series(name="a", x=tuple("abc"[: len(values)]), y=values),)
    upright = figure(Bars(series=bars))["layout"]
    lying = figure(Bars(series=bars, horizontal=True))["layout"]
    assert upright["yaxis"].get("dtick") == lying["xaxis"].get("dtick") == step
    assert "dtick" not in upright["xaxis"] and "dtick" not in lying["yaxis"]
