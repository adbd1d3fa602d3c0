"""What publishers say of a picture, as labels and boxes: present, absent or uncertain."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from lingshu_core.errors import DataError
from lingshu_core.records import Box, Presence
from lingshu_data.boxes import corner_box
from lingshu_data.reader import Row

Labels = dict[str, Presence]
Labelling = Callable[[Row], Labels]


def one_of(column: str, names: Mapping[str, str], healthy: Iterable[str] = ()) -> Labelling:
    """Returns a labelling by classes that exclude each other.

    Args:
        column: Holds the class.
        names: Our name of each of the publisher's classes.
        healthy: Classes of the publisher at which none of the others is there.
    """
    sick = {name for name in names.values()}

    def labels(row: Row) -> Labels:
        said = row.text(column)
        if said in healthy:
            return dict.fromkeys(sorted(sick), "absent")
        if said not in names:
            raise DataError(f"the class {said!r} is none of {sorted(names)}", field=column)
        return {name: "present" if name == names[said] else "absent" for name in sorted(sick)}

    return labels


def listed(column: str, known: Iterable[str], separator: str = "|") -> Labelling:
    """Returns a labelling by a list of findings; what is known and not listed is absent."""
    names = tuple(known)

    def labels(row: Row) -> Labels:
        said = {part.strip().lower() for part in row.text(column).split(separator)}
        return {name: "present" if name in said else "absent" for name in names}

    return labels


def flags(columns: Mapping[str, str]) -> Labelling:
    """Returns a labelling by columns with 1, 0, -1 (uncertain) or nothing."""
    meaning: dict[float, Presence] = {1.0: "present", 0.0: "absent", -1.0: "uncertain"}

    def labels(row: Row) -> Labels:
        found: Labels = {}
        for column, name in columns.items():
            value = row.maybe(column)
            if value is None:
                continue
            try:
                found[name] = meaning[float(value)]
            except (KeyError, ValueError):
                raise DataError(f"{value!r} is not 1, 0 or -1", field=column) from None
        return found

    return labels


def classes_as_they_are(column: str) -> Labelling:
    """Returns a labelling by a class whose name says what is there, and nothing of the others."""

    def labels(row: Row) -> Labels:
        said = row.text(column).replace("_", " ").lower()
        return {} if said in {"normal", "healthy"} else {said: "present"}

    return labels


def voc_boxes(row: Row) -> Iterator[Box | None]:
    """Yields the boxes of a row that the VOC reader has read."""
    for item in row.values["objects"]:
        left, upper, right, lower = (item[side] for side in ("xmin", "ymin", "xmax", "ymax"))
        yield corner_box(left, upper, right, lower, item["name"])


def coco_boxes(row: Row) -> Iterator[Box | None]:
    """Yields the boxes of a row that the COCO reader has read."""
    for item in row.values["objects"]:
        x, y, width, height = (float(value) for value in item["bbox"])
        yield corner_box(x, y, x + width, y + height, item["name"])
