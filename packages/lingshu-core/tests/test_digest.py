"""Hashes are the same on every machine."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lingshu_core.digest import canonical_json, digest, file_sha256, record_id

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"))
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)  # fmt: skip


@given(_values)
def test_canonical_json_is_json(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_matter(value):
    assert digest(value) == digest(dict(reversed(value.items())))


def test_known_digests(tmp_path):
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'.encode()
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    (tmp_path / "a").write_bytes(b"x" * (3 << 20))
    assert len(file_sha256(tmp_path / "a")) == 64
    (tmp_path / "a").write_bytes(b"")
    assert file_sha256(tmp_path / "a").startswith("e3b0c44298fc1c14")


def test_models_and_paths_are_values(tmp_path):
    class Settings(BaseModel):
        where: object = tmp_path / "a"

    assert digest(Settings()) == digest({"where": str(tmp_path / "a")})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none(value):
    with pytest.raises(ValueError):
        digest(value)


def test_what_has_no_json():
    with pytest.raises(TypeError, match="set"):
        digest({1, 2})


_words = st.lists(st.text(st.characters(codec="utf-8"), max_size=4), max_size=4)


@given(_words, _words)
def test_ids_tell_contents_apart(one, other):
    assert (record_id("d", *one) == record_id("d", *other)) == (one == other)


def test_an_id_names_its_dataset():
    assert record_id("vqa-rad", "a", "b") == "vqa-rad/e92419e568ea14c68dda"
    assert record_id("other", "a", "b").partition("/")[2] != "e92419e568ea14c68dda"
