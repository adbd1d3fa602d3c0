"""The part of the report that shows records: what was left out beside what stayed for it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lingshu_core.panels import Gallery, Panel, Picture, Table
from lingshu_core.records import RecordBase
from lingshu_data.display import Thumbnails, caption, reason
from lingshu_data.survey import Place, Survey, clusters, fetch

_PAIRS = 2
"""Pictures of each reason."""
_TEXTS = 3
"""Texts of each reason."""
_STRIPS, _STRIP = 6, 6
"""Groups of copies, and the copies shown of each."""
_ROWS = 20
"""Rows of a table."""


def left_out(surveys: Sequence[Survey], out: Path) -> list[Panel]:
    """Returns dropped records with their reasons, each beside what was kept in its place."""
    gone = [
        (what, Place(survey.dropped.manifest.root, record))
        for survey in surveys
        if survey.dropped is not None
        for what, records in sorted(survey.dropped.shown.items())
        for record in records
    ]
    kept = fetch(surveys, {_kept_for(place.record) for _, place in gone} - {""})
    thumbnails = Thumbnails(out)
    pictures: list[Picture] = []
    texts: list[tuple[str, str, str]] = []
    shown: Counter[tuple[str, bool]] = Counter()
    for what, place in gone:
        stays = kept.get(_kept_for(place.record))
        pictured = bool(place.record.images)
        shown[what, pictured] += 1
        if pictured and shown[what, pictured] <= _PAIRS:
            pictures += _pair(what, place, stays, thumbnails)
        elif not pictured and shown[what, pictured] <= _TEXTS:
            texts.append((what, caption(place.record), caption(stays.record) if stays else ""))
    panels: list[Panel] = []
    if pictures:
        note = "Each picture with its reason; where another stays for it, that one follows."
        panels.append(
            Gallery(title="Left out, and kept", note=note, pictures=tuple(pictures), wide=True)
        )
    if texts:
        columns = ("step and reason", "left out", "kept in its place")
        panels.append(Table(title="Texts left out", columns=columns, rows=tuple(texts), wide=True))
    return panels


def strips(surveys: Sequence[Survey], out: Path) -> list[Panel]:
    """Returns the largest groups of copies of a picture, a strip each."""
    groups = [
        (survey, number, kept, copies)
        for survey in surveys
        for kept, number, copies in clusters(survey, _STRIPS, _STRIP)
    ]
    groups = sorted(groups, key=lambda group: (-group[1], group[2]))[:_STRIPS]
    kept = fetch(surveys, {group[2] for group in groups})
    thumbnails = Thumbnails(out)
    panels: list[Panel] = []
    for survey, number, name, copies in groups:
        assert survey.dropped is not None
        root = survey.dropped.manifest.root
        pictures = _shown(kept.get(name), "kept", thumbnails)
        for record in copies:
            pictures += _shown(Place(root, record), record.tags["dropped_reason"], thumbnails)
        if pictures:
            title = f"One picture {number + 1:,} times"
            note = f"In {survey.label}; the first stays."
            panels.append(Gallery(title=title, note=note, pictures=tuple(pictures)))
    return panels


def contamination(surveys: Sequence[Survey], out: Path) -> list[Panel]:
    """Returns what overlaps with evaluation sets, with which of their items."""
    overlaps: Counter[tuple[str, str, str]] = Counter()
    for survey in surveys:
        if survey.dropped is not None:
            overlaps += survey.dropped.overlaps
    if not overlaps:
        return []
    items = fetch(surveys, {item for _, item, _ in overlaps})
    by_set: Counter[tuple[str, str, str]] = Counter()
    for (dataset, item, why), number in overlaps.items():
        found = items.get(item)
        by_set[dataset, found.record.source.dataset if found else "not given", why] += number
    rows = tuple((*names, number) for names, number in by_set.most_common(_ROWS))
    columns = ("training data", "evaluation set", "what is the same", "records")
    panels: list[Panel] = [Table(title="Overlaps with evaluation sets", columns=columns, rows=rows)]
    most = tuple(
        (item, items[item].record.source.dataset if item in items else "not given", dataset, n)
        for (dataset, item, _), n in sorted(overlaps.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    columns = ("item", "evaluation set", "training data", "records")
    panels.append(Table(title="Items with most overlaps", columns=columns, rows=most[: _ROWS // 2]))
    return panels


def _kept_for(record: RecordBase) -> str:
    return record.tags.get("dropped_for", "")


def _pair(what: str, gone: Place, stays: Place | None, thumbnails: Thumbnails) -> list[Picture]:
    path = thumbnails.add(gone.root, gone.record.images[0])
    if path is None:
        return []
    return [
        Picture(path=path, badge="left out", caption=reason(what, gone.record)),
        *_shown(stays, "kept", thumbnails),
    ]


def _shown(place: Place | None, badge: str, thumbnails: Thumbnails) -> list[Picture]:
    if place is None or not place.record.images:
        return []
    path = thumbnails.add(place.root, place.record.images[0])
    name = f"{place.record.source.dataset}: {caption(place.record)}"
    return [] if path is None else [Picture(path=path, badge=badge, caption=name)]
