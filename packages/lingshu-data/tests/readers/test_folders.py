"""Folders that name what their pictures show."""

import pytest

from lingshu_core.errors import DataError
from lingshu_data.readers.folders import AllPictures, ClassFolders, path_pattern


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_path_parts_become_columns_and_other_files_are_passed_over(tmp_path):
    put(tmp_path, "train/Pneumonia/b.JPG", "train/Normal/a.png", "train/notes.txt", "x.png")
    rows = list(ClassFolders("{split}/{label}/{name}").entries(tmp_path, None))
    assert [row.values for row in rows] == [
        {"split": "train", "label": "Normal", "name": "a.png", "path": "train/Normal/a.png"},
        {"split": "train", "label": "Pneumonia", "name": "b.JPG", "path": "train/Pneumonia/b.JPG"},
    ]
    assert [row.values["path"] for row in AllPictures().entries(tmp_path, None)][-1] == "x.png"


def test_a_name_that_comes_again_stands_for_the_same_text_and_d_for_digits():
    pattern = path_pattern("{case}/{case}_{number:d}.png")
    assert pattern.fullmatch("a7/a7_12.png").groupdict() == {"case": "a7", "number": "12"}
    assert pattern.fullmatch("a7/a8_12.png") is None
    assert pattern.fullmatch("a7/a7_x.png") is None


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="lacks"):
        list(ClassFolders("{label}/{name}").entries(tmp_path, None))
