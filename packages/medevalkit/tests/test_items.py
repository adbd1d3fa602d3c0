from itertools import chain, pairwise

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.records import Question
from medevalkit.items import Items, rotated_from, rotations, write_items


def written(manifest, tmp_path, **selection):
    path = tmp_path / "items.jsonl"
    count = write_items(Manifest(manifest), path, **selection)
    items = list(Items(path))
    assert len(items) == count
    return items


def test_limit_and_shards_divide_without_overlap(toy, tmp_path):
    task = toy(23)
    whole = [record.id for record in Manifest(task)]
    assert [item.id for item in written(task, tmp_path, limit=5)] == whole[:5]
    shards = [[item.id for item in written(task, tmp_path, shard=(i, 3))] for i in range(3)]
    assert sorted(chain(*shards)) == sorted(whole)
    assert shards[1] == whole[1::3]


def test_a_rotation_keeps_the_gold(toy):
    choice = next(r for r in Manifest(toy(8)) if isinstance(r, Question) and r.options)
    turned = list(rotations(choice))
    assert len(turned) == len(choice.options)
    gold = choice.option_text(choice.answer)
    assert {item.option_text(item.answer) for item in turned} == {gold}
    assert {item.answer for item in turned} == {"A", "B", "C", "D"}
    assert len({item.id for item in turned}) == 4
    assert {rotated_from(item) for item in turned} == {choice.id}


def test_only_choices_are_rotated(toy, tmp_path):
    items = written(toy(8), tmp_path, circular=True)
    assert len(items) == 6 + 2 * 4


@pytest.mark.parametrize("pictures", [0, 3])
def test_items_of_one_picture_are_asked_side_by_side(toy, tmp_path, pictures):
    task = toy(12, pictures=pictures)
    write_items(Manifest(task), tmp_path / "items.jsonl")
    items = Items(tmp_path / "items.jsonl")
    order = [item.id for item in items.by_picture()]
    assert sorted(order) == sorted(item.id for item in items)
    if pictures == 0:
        assert order == [item.id for item in items]
        return
    shown = [item.images[0].sha256 for item in items.by_picture()]
    changes = sum(a != b for a, b in pairwise(shown))
    assert changes == pictures - 1
