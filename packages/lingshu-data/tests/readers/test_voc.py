"""Annotations in the PASCAL VOC layout."""

from lingshu_data.reader import Broken
from lingshu_data.readers.voc import Voc

XML = """<annotation><filename>{name}.jpg</filename><object><name>RBC</name><bndbox>
<xmin>1</xmin><ymin>2</ymin><xmax>{xmax}</xmax><ymax>9</ymax></bndbox></object></annotation>"""


def rows(root):
    reader = Voc()
    return list(reader.rows(root, tuple(reader.entries(root, None))))


def test_objects_and_splits_and_broken_annotations(tmp_path):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("one\n", encoding="ascii")
    for name, text in {
        "one": XML.format(name="one", xmax="7"),
        "three": "<annotation/>",
        "two": XML.format(name="two", xmax=""),
        "zero": "<annotation>",
    }.items():
        (tmp_path / "Annotations" / f"{name}.xml").write_text(text, encoding="ascii")
    one, three, two, zero = rows(tmp_path)
    assert one.values == {
        "path": "JPEGImages/one.jpg",
        "split": "validation",
        "objects": [{"name": "RBC", "xmin": 1.0, "ymin": 2.0, "xmax": 7.0, "ymax": 9.0}],
    }
    assert {type(row) for row in (three, two, zero)} == {Broken}
    assert three.place == "Annotations/three.xml" and "names no picture" in three.reason
