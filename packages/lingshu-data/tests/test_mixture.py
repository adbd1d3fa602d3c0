"""Mixtures have the amounts asked for, in an order that follows from the seed alone."""

from collections import Counter

import pytest

from lingshu_core.digest import record_id
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_core.recipe import check
from lingshu_core.records import Instruction, Source
from lingshu_data.mixture import mix
from lingshu_data.operators.mixture import Settings
from lingshu_data.settings import Running


@pytest.fixture
def texts(tmp_path, build):
    """Writes some instructions of each dataset."""

    def write(**amounts):
        builder = build()
        for dataset, amount in amounts.items():
            for number in range(amount):
                builder.write(
                    Instruction(
                        id=record_id(dataset, str(number)),
                        source=Source(dataset=dataset, licence="CC0-1.0"),
                        modality="text",
                        instruction=f"Say {number}",
                        response=str(number),
                    )
                )
        builder.close()
        return tmp_path / "in"

    return write


def run(path, out="out", workers=1, **settings):
    checked = check(Settings, {"stage": "test", **settings}, where="test")
    mix([path], path.parent / out, checked, Running(workers=workers))
    return list(Manifest(path.parent / out))


def amounts(records):
    return Counter(record.source.dataset for record in records)


TWO = [{"name": "a", "datasets": ["a"]}, {"name": "b", "datasets": ["b"]}]


def test_the_order_is_seeded_and_does_not_depend_on_the_input(tmp_path, texts, build):
    path = texts(a=50, b=30)
    first = [record.id for record in run(path, takes=TWO)]
    other = build("turned")
    for record in reversed(list(Manifest(path))):
        other.write(record)
    other.close()
    assert [r.id for r in run(tmp_path / "turned", out="o2", takes=TWO)] == first
    assert [r.id for r in run(path, out="o3", takes=TWO, seed=1)] != first
    assert first != [record.id for record in Manifest(path)]


@pytest.mark.slow
def test_the_order_does_not_depend_on_the_workers(texts):
    path = texts(a=50, b=30)
    first = [record.id for record in run(path, takes=TWO)]
    assert [record.id for record in run(path, out="other", takes=TWO, workers=2)] == first


def test_weights_divide_the_amount_and_what_lacks_goes_to_the_others(texts):
    path = texts(a=500, b=20)
    takes = [{**take, "weight": 1.0} for take in TWO]
    assert amounts(run(path, takes=takes, amount=30)) == {"a": 15, "b": 15}
    assert amounts(run(path, out="o2", takes=takes, amount=100)) == {"a": 80, "b": 20}


def test_caps_bound_a_dataset_and_amounts_bound_takes_and_mixture(texts):
    path = texts(a=100, b=100)
    both = [{"name": "all"}]
    assert amounts(run(path, takes=both, caps_by_dataset={"a": 7})) == {"a": 7, "b": 100}
    assert amounts(run(path, out="o2", takes=both, caps_by_dataset={"*": 5})) == {"a": 5, "b": 5}
    some = [{**TWO[0], "amount": 10}, TWO[1]]
    assert amounts(run(path, out="o3", takes=some)) == {"a": 10, "b": 100}
    assert len(run(path, out="o4", takes=both, amount=33)) == 33


def test_a_smaller_amount_takes_part_of_the_same_records(texts):
    path = texts(a=100)
    few = {r.id for r in run(path, takes=[{"name": "all"}], amount=10)}
    more = {r.id for r in run(path, out="o2", takes=[{"name": "all"}], amount=40)}
    assert few < more


def test_repeated_records_have_ids_of_their_own(texts):
    records = run(texts(a=4), takes=[{"name": "all", "repeat": 3}])
    assert len({record.id for record in records}) == 12
    assert Counter(record.instruction for record in records).most_common()[0][1] == 3


def test_what_is_left_out_is_accounted_for(texts):
    path = texts(a=10, b=10, c=5)
    run(path, takes=TWO, caps_by_dataset={"a": 4}, amount=10)
    counts = read_stats(path.parent / "out").counts
    assert counts["in"] == counts["records"] + counts["dropped"] == 25
    reasons = Counter(r.tags["dropped_reason"] for r in Manifest(path.parent / "out" / "dropped"))
    assert reasons == {
        "of no take": 5,
        "over the cap of its dataset": 6,
        "over the amount of the mixture": 4,
    }


def test_caps_of_modalities_leave_text_aside(texts):
    path = texts(a=10)
    assert len(run(path, takes=[{"name": "all"}], caps_by_modality={"*": 3})) == 10
    assert len(run(path, out="o2", takes=[{"name": "all"}], caps_by_modality={"text": 3})) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"takes": [{"name": "a", "weight": 1.0}]}, "give amount and all weights"),
        ({"takes": [{"name": "a"}], "caps_by_modality": {"mrt": 1}}, r"no modalities \['mrt'\]"),
        ({"takes": []}, "takes"),
        ({"takes": [{"name": "a", "dataset": ["x"]}]}, "did you mean 'datasets'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(SettingsError, match=message):
        check(Settings, {"stage": "test", **settings}, where="test")
