"""Panels as Plotly figures: one palette and one layout for every page."""

import textwrap
from typing import Any

from lingshu_core.panels import Bars, Flow, Lines, Radar

PALETTE = ("#0f766e", "#b45309", "#1d4ed8", "#be185d", "#4d7c0f", "#6d28d9", "#0e7490", "#57534e")
_INK = "#292524"
_GRID = "#e7e5e4"
_FEW = 12
"""So many points of a curve are marked each."""


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
    return [
        {
            "type": "scatter",
            "x": list(series.x),
            "y": list(series.y),
            "name": series.name,
            "mode": "lines+markers" if len(series.x) <= _FEW else "lines",
            # A value that is missing was not measured there; the curve goes on.
            "connectgaps": True,
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
            **({"texttemplate": "%{x:,}", "textangle": 0} if panel.horizontal else {}),
            "marker": {"color": PALETTE[index % len(PALETTE)]},
        }
        for index, series in enumerate(panel.series)
    ]


def _named(panel: Bars) -> dict[str, Any]:
    """Returns what makes an axis show names as names, long ones broken into lines."""
    names = list(dict.fromkeys(name for series in panel.series for name in series.x))
    if not names or not all(isinstance(name, str) for name in names):
        return {}
    lines = [textwrap.wrap(str(name), 22, max_lines=3, placeholder=" …") for name in names]
    return {
        "type": "category",
        "tickvals": names,
        "ticktext": ["<br>".join(line) for line in lines],
    }


def _counted(panel: Bars) -> dict[str, Any]:
    """Returns what keeps an axis of few counts from showing halves of them."""
    values = [value for series in panel.series for value in series.y]
    whole = all(value is None or float(value).is_integer() for value in values)
    return {"dtick": 1} if whole and max((value or 0 for value in values), default=0) < 5 else {}


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
        "hoverlabel": {"namelength": -1},
        "height": 340,
        "showlegend": not isinstance(panel, Flow) and names > 1,
        "legend": {"orientation": "h", "y": -0.22, "traceorder": "normal"},
        "hovermode": "closest",
    }
    if isinstance(panel, Lines):
        layout["xaxis"] = axis | {"title": {"text": panel.x}}
        layout["yaxis"] = axis | {"title": {"text": panel.y}}
        if panel.log_y:
            layout["yaxis"] |= {"type": "log", "dtick": "D2", "tickformat": ".2~g"}
    if isinstance(panel, Bars):
        layout["barmode"] = "stack" if panel.stacked else "group"
        layout["xaxis"] = axis | {"title": {"text": panel.x}}
        layout["yaxis"] = axis | {"title": {"text": panel.y}}
        layout["yaxis" if panel.horizontal else "xaxis"] |= _named(panel)
        layout["xaxis" if panel.horizontal else "yaxis"] |= _counted(panel)
        if panel.horizontal:
            layout["yaxis"] |= {"autorange": "reversed"}
            rows = max((len(series.x) for series in panel.series), default=1)
            bars = 1 if panel.stacked else max(1, len(panel.series))
            layout["height"] = max(220, 80 + 30 * rows * bars)
    if isinstance(panel, Radar):
        layout["margin"] = {"l": 76, "r": 76, "t": 30, "b": 30}
        radius = {"range": [0, panel.greatest], "gridcolor": _GRID, "nticks": 4}
        layout["polar"] = {"radialaxis": radius, "angularaxis": {"gridcolor": _GRID}}
    if isinstance(panel, Flow):
        layout["margin"] = {"l": 8, "r": 8, "t": 12, "b": 12}
        begins = {source for source, _, _ in panel.links}
        ends = {target for _, target, _ in panel.links}
        # Names stand one below the other at both edges, and need a line each.
        layout["height"] = max(340, 30 * max(len(begins - ends), len(ends - begins)))
    return layout
