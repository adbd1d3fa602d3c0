"""A head on the vectors of pictures tells modalities apart."""

import numpy as np
import pytest

from lingshu_core.errors import DataError
from lingshu_data.head import Head, fit, read_head


def test_a_head_learns_what_can_be_told_apart_and_comes_back_from_its_file(tmp_path):
    dice = np.random.default_rng(0)
    centres = np.eye(4, dtype=np.float32)[:3]
    labels = [f"kind-{number % 3}" for number in range(90)]
    vectors = centres[np.arange(90) % 3] + dice.normal(0, 0.1, (90, 4)).astype(np.float32)
    head = fit(vectors[:60], labels[:60], "toy")
    chances = head.chances(vectors[60:])
    assert np.allclose(chances.sum(axis=1), 1)
    assert [head.labels[best] for best in chances.argmax(axis=1)] == labels[60:]
    head.write(tmp_path)
    again = read_head(tmp_path)
    assert isinstance(again, Head) and (again.labels, again.model) == (head.labels, "toy")
    assert np.array_equal(again.weights, head.weights)
    with pytest.raises(DataError, match="cannot be told apart"):
        fit(vectors[:3], ["one"] * 3, "toy")


def test_what_is_no_head_is_said(tmp_path):
    (tmp_path / "head.npz").write_bytes(b"no zip")
    with pytest.raises(DataError, match="is no head"):
        read_head(tmp_path)
