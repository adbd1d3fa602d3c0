"""Merging and dividing manifests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.panels import read_stats
from lingshu_core.selection import by_publisher, by_share, merge, split
from lingshu_core.validation import validate


def ids(folder):
    return [record.id for record in Manifest(folder)]


@pytest.fixture
def two(tmp_path, make_manifest):
    """Two manifests that share a picture and no record."""
    first = make_manifest(tmp_path / "first", range(3))
    second = make_manifest(tmp_path / "second", range(256, 260), modality="ct")
    return [Manifest(first), Manifest(second)]


def test_merging_keeps_order_and_pictures(tmp_path, two):
    out = tmp_path / "out"
    assert merge(two, out) == 7
    assert ids(out) == [*ids(two[0].path), *ids(two[1].path)]
    assert validate(Manifest(out), deep=True).faults == []
    assert [p.digest for p in Manifest(out).header.parents] == [m.digest() for m in two]
    stats = read_stats(out)
    assert stats.counts == {"out": 7} and (out / "index.html").is_file()
    assert stats.panels[0].rows[1][-1] == 4


def test_merging_again_does_nothing(tmp_path, two, capsys):
    out = tmp_path / "out"
    merge(two, out)
    before = (out / "manifest.json").stat().st_mtime_ns
    assert merge(two, out) == 7 and "is there already" in capsys.readouterr().err
    assert (out / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(SettingsError, match="other inputs"):
        merge(two[:1], out)
    with pytest.raises(SettingsError, match="exists already"):
        merge(two, two[0].path)


def test_an_id_stands_once(tmp_path, two, make_manifest):
    third = Manifest(make_manifest(tmp_path / "third", [2]))
    with pytest.raises(DataError, match=r"stands in .*first too") as caught:
        merge([*two, third], tmp_path / "out")
    assert (caught.value.path, caught.value.record) == (third.path, "tiny/0002")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def many(tmp_path, producer, question):
    """Thirty records in ten groups, two thirds of them for training."""
    from lingshu_core.manifest_writer import ManifestWriter

    with ManifestWriter(tmp_path / "many", producer=producer) as writer:
        for number in range(30):
            source = {"dataset": "tiny", "licence": "", "group": f"g{number // 3}"}
            source["split"] = "test" if number % 3 == 0 else "train"
            writer.write(question(number, source=source))
    return Manifest(tmp_path / "many")


def test_as_the_publisher_divides(tmp_path, many):
    out = tmp_path / "out"
    assert split(many, out) == {"test": 10, "train": 20}
    assert ids(out / "test") == [f"tiny/{n:04}" for n in range(0, 30, 3)]
    assert set(ids(out / "test")).isdisjoint(ids(out / "train"))
    assert Manifest(out / "test").header.parents[0].digest == many.digest()
    assert read_stats(out).counts == {"test": 10, "train": 20}
    assert not is_finished(out)


def test_by_share(tmp_path, many):
    shares = {"train": 0.7, "test": 0.3}
    counts = split(many, tmp_path / "out", shares, seed=1)
    assert sum(counts.values()) == 30 and counts["train"] > counts["test"] > 0
    groups = [
        {record.source.group for record in Manifest(tmp_path / "out" / name)} for name in shares
    ]
    assert groups[0].isdisjoint(groups[1])
    split(many, tmp_path / "other", shares, seed=2)
    assert ids(tmp_path / "out" / "test") != ids(tmp_path / "other" / "test")


def test_an_empty_part_is_a_part(tmp_path, make_manifest):
    one = Manifest(make_manifest(tmp_path / "one", [0]))
    counts = split(one, tmp_path / "out", {"train": 0.5, "test": 0.5})
    assert sorted(counts.values()) == [0, 1]
    assert all(len(Manifest(tmp_path / "out" / name)) == n for name, n in counts.items())


def test_dividing_again_does_nothing(tmp_path, many, capsys):
    out = tmp_path / "out"
    counts = split(many, out)
    assert split(many, out) == counts and "is there already" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="other settings"):
        split(many, out, {"train": 0.5, "test": 0.5})


@pytest.mark.parametrize(
    "shares",
    [{"a": 0.5}, {"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}, {"a": float("nan")}, {"a": 0, "b": 1},
     {"../a": 0.5, "b": 0.5}, {"a/b": 0.5, "b": 0.5}, {"": 1.0}],
)  # fmt: skip
def test_shares_that_are_none(tmp_path, many, shares):
    with pytest.raises(SettingsError):
        split(many, tmp_path / "out", shares)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [None, "../../out", "a/b", "", ".hidden"])
def test_a_publisher_s_split_cannot_lead_out(tmp_path, make_manifest, name):
    source = {"dataset": "tiny", "licence": "", "split": name}
    odd = Manifest(make_manifest(tmp_path / "odd", [0], source=source))
    with pytest.raises(DataError) as caught:
        split(odd, tmp_path / "deep" / "out")
    assert (caught.value.path, caught.value.field) == (odd.path, "source.split")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odd"]


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=50, unique=True),
    st.sampled_from([{"a": 1.0}, {"a": 0.9, "b": 0.1}, {"a": 0.2, "b": 0.3, "c": 0.5}]),
    st.integers(0, 5),
)
def test_the_side_follows_from_the_group_alone(question, groups, shares, seed):
    side = by_share(shares, seed)
    for group in groups:
        source = {"dataset": "tiny", "licence": "", "group": str(group)}
        sides = {side(question(number, source=source)) for number in range(3)}
        assert len(sides) == 1 and sides <= shares.keys()


def test_shares_come_out_about_right(question):
    side = by_share({"train": 0.8, "test": 0.2}, 0)
    test = sum(side(question(number)) == "test" for number in range(1000))
    assert 150 < test < 250


def test_the_publisher_names_none(question):
    with pytest.raises(DataError, match="names no split"):
        by_publisher(question())
