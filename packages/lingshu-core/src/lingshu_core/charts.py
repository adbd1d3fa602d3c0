"""Panels as Plotly figures: one palette and one layout for every page."""

from typing import Any

from lingshu_core.panels import Bars, Flow, Lines, Radar

PALETTE = ("#0f766e", "#b45309", "#1d4ed8", "#be185d", "#4d7c0f", "#6d28d9", "#0e7490", "#57534e")
_INK = "#292524"
_GRID = "#e7e5e4"


def figure(panel: Lines | Bars | Radar | Flow) -> dict[str, Any]:
    """Returns `data` and `layout` as `Plotly.newPlot` takes them.

    Plain data: importing Plotly's Python side would cost every command 0.3 CPU seconds.
    """
    if isinstance(panel, Lines):
        traces = _lines(panel)
    elif isinstance(panel, Bars):
        traces = _bars(panel)
    elif isinstance(panel, Radar):
        traces = _radar(panel)
    else:
        traces = _flow(panel)
    return {"data": traces, "layout": _layout(panel)}


def _lines(panel: Lines) -> list[dict[str, Any]]:
    few = max((len(series.x) for series in panel.series), default=0) <= 12
    return [
        {
            "type": "scatter",
            "x": list(series.x),
            "y": list(series.y),
            "name": series.name,
            "mode": "lines+markers" if few else "lines",
            "line": {"width": 2, "color": PALETTE[index % len(PALETTE)]},
        }
        for index, series in enumerate(panel.series)
    ]


def _bars(panel: Bars) -> list[dict[str, Any]]:
    return [
        {
            "type": "bar",
            "x": list(series.y if panel.horizontal else series.x),
            "y": list(series.x if panel.horizontal else series.y),
            "name": series.name,
            "orientation": "h" if panel.horizontal else "v",
            "marker": {"color": PALETTE[index % len(PALETTE)]},
        }
        for index, series in enumerate(panel.series)
    ]


def _radar(panel: Radar) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatterpolar",
            # The curve has to come back to where it began.
            "theta": [*series.x, series.x[0]],
            "r": [*series.y, series.y[0]],
            "name": series.name,
            "fill": "toself",
            "opacity": 0.6,
            "line": {"color": PALETTE[index % len(PALETTE)]},
        }
        for index, series in enumerate(panel.series)
        if series.x
    ]


def _flow(panel: Flow) -> list[dict[str, Any]]:
    names = list(
        dict.fromkeys(name for source, target, _ in panel.links for name in (source, target))
    )
    place = {name: index for index, name in enumerate(names)}
    return [
        {
            "type": "sankey",
            "node": {
                "label": names,
                "color": [PALETTE[index % len(PALETTE)] for index in range(len(names))],
                "pad": 14,
                "thickness": 14,
                "line": {"width": 0},
            },
            "link": {
                "source": [place[source] for source, _, _ in panel.links],
                "target": [place[target] for _, target, _ in panel.links],
                "value": [value for _, _, value in panel.links],
                "color": "rgba(120, 113, 108, 0.25)",
            },
        }
    ]


def _layout(panel: Lines | Bars | Radar | Flow) -> dict[str, Any]:
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "automargin": True}
    names = len(panel.links) if isinstance(panel, Flow) else len(panel.series)
    layout: dict[str, Any] = {
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": _INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 50, "r": 16, "t": 16, "b": 44},
        "height": 340,
        "showlegend": not isinstance(panel, Flow) and names > 1,
        "legend": {"orientation": "h", "y": -0.22},
        "hovermode": "closest",
    }
    if isinstance(panel, Lines):
        layout["xaxis"] = axis | {"title": {"text": panel.x}}
        layout["yaxis"] = axis | {"title": {"text": panel.y}, "type": _scale(panel)}
    if isinstance(panel, Bars):
        layout["barmode"] = "stack" if panel.stacked else "group"
        layout["xaxis"] = axis | {"title": {"text": panel.x}}
        layout["yaxis"] = axis | {"title": {"text": panel.y}}
        if panel.horizontal:
            layout["yaxis"] |= {"autorange": "reversed"}
            rows = max((len(series.x) for series in panel.series), default=1)
            layout["height"] = max(220, 60 + 22 * rows)
    if isinstance(panel, Radar):
        layout["polar"] = {"radialaxis": {"range": [0, panel.greatest], "gridcolor": _GRID}}
    return layout


def _scale(panel: Lines) -> str:
    return "log" if panel.log_y else "linear"
