"""Pictures and labels as arrays."""

import numpy as np

from lingshu_data.reader import Broken, Row
from lingshu_data.readers.arrays import Arrays

READER = Arrays("x_{split}.npy", labels=(("label", "y_{split}.npy"),), splits=(("train", "train"),))


def rows(root):
    return list(READER.rows(root, tuple(READER.entries(root, None))))


def test_each_picture_comes_with_its_label(tmp_path):
    pictures = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    np.save(tmp_path / "x_train.npy", pictures)
    np.save(tmp_path / "y_train.npy", np.array([1, 0]))
    first, second = rows(tmp_path)
    assert np.array_equal(second.values["pixels"], pictures[1])
    assert (first.values["label"], second.values["label"]) == (1, 0)
    assert (second.values["split"], second.place) == ("train", "x_train.npy[1]")


def test_a_label_that_lacks_or_a_damaged_file_is_set_aside(tmp_path):
    np.save(tmp_path / "x_train.npy", np.zeros((2, 3, 4), np.uint8))
    np.save(tmp_path / "y_train.npy", np.array([1]))
    assert [type(row) for row in rows(tmp_path)] == [Row, Broken]
    whole = (tmp_path / "x_train.npy").read_bytes()
    (tmp_path / "x_train.npy").write_bytes(whole[:-5])
    (row,) = rows(tmp_path)
    assert isinstance(row, Broken) and "no array" in row.reason


def test_pickled_objects_are_never_opened(tmp_path):
    np.save(tmp_path / "x_train.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.save(tmp_path / "y_train.npy", np.array([1]))
    (row,) = rows(tmp_path)
    assert isinstance(row, Broken) and "no array" in row.reason
