import json
import random

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.recipe import load_recipe
from medevalkit.comparing import Comparison, compare, comparison_grids
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings
from medevalkit.tables import written

MIXED = """
import hashlib
from medevalkit.backend import Answer, Backend, named

class Mixed:
    def __init__(self, share):
        self.share = float(share)

    def answers(self, requests):
        for request in requests:
            record = request.record
            seed = int(hashlib.sha256(record.id.encode()).hexdigest(), 16) % 100
            gold = getattr(record, "answer", None)
            said = gold if gold and seed < 100 * self.share else "nothing of the kind"
            yield Answer(request, said, "stop")

    def close(self):
        pass

MIXED = Backend("right on a share of the items", lambda name, settings: Mixed(name), named)
"""


def made(task, out, model, *more):
    given = [f"model={model}", f'tasks=["manifest:{task}"]', *more]
    run(load_recipe(RunSettings, None, given), out)
    score(out)
    return out


@pytest.fixture
def two(toy, tmp_path):
    """Returns two runs on 80 items; the second is right wherever the first one is, and more."""
    (tmp_path / "mixed.py").write_text(MIXED, encoding="utf-8")
    task = toy(80, pictures=8)
    return [
        made(task, tmp_path / str(share), f"{tmp_path}/mixed.py:MIXED:{share}", f"label=m{share}")
        for share in (0.4, 0.8)
    ]


def row(found, kind, measure="accuracy"):
    return next(r for r in found.rows if (r.kind, r.measure) == (kind, measure))


def test_what_differs_is_what_the_scores_say(two):
    found = compare(*two)
    assert (found.first, found.second, found.profile) == ("m0.4", "m0.8", "strict")
    for kind in ("all", "open", "closed", "choice"):
        mine = row(found, kind)
        first, second = (
            next(r for r in score(folder).rows if (r.kind, r.by) == (kind, None)) for folder in two
        )
        assert (mine.n, mine.first, mine.second) == (first.n, first.accuracy, second.accuracy)
        assert mine.difference == pytest.approx(mine.second - mine.first, abs=2e-6)
        assert mine.low <= mine.difference <= mine.high
        assert mine.lost == 0 and mine.gained == round(mine.difference * mine.n)
    # Six of the eight pictures gained: no test of fewer pictures could say more.
    assert row(found, "all").p == 2 / 2**6
    assert row(found, "open", "token-f1").difference > 0


def test_every_changed_answer_is_listed(two):
    found = compare(*two)
    assert len(found.changed) == row(found, "all").gained
    assert {(one.first, one.second) for one in found.changed} <= {
        ("wrong", "right"),
        ("unparsed", "right"),
    }
    text = written(comparison_grids(found, most=3), "text")
    assert f"{len(found.changed) - 3} more are in --format json." in text
    assert len(comparison_grids(found, most=0)) == 1


def test_a_run_does_not_differ_from_itself(two):
    found = compare(two[0], two[0])
    assert found.changed == ()
    assert {(r.difference, r.p) for r in found.rows} == {(0, 1)}


def test_the_other_way_round_is_the_negative(two):
    there, back = compare(*two), compare(*reversed(two))
    for one, other in zip(there.rows, back.rows, strict=True):
        assert other.difference == pytest.approx(-one.difference)
        assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=0.02)
        assert (other.gained, other.lost) == (one.lost, one.gained)
        if one.measure == "accuracy":
            assert other.p == one.p


def test_what_only_one_run_has_is_left_out_and_counted(toy, tmp_path):
    task = toy(40, reports=False)
    whole = made(task, tmp_path / "whole", "oracle")
    part = made(task, tmp_path / "part", "constant:yes", "limit=24")
    found = compare(whole, part)
    assert (found.only_first, found.only_second) == (16, 0)
    assert row(found, "all").n == 24
    assert "16 answers that only one of them has" in written(
        comparison_grids(found, most=0), "markdown"
    )


def test_what_cannot_be_compared_is_said(two, toy, tmp_path):
    with pytest.raises(DataError, match="--profile official"):
        compare(*two, "official")
    with pytest.raises(DataError, match="no run of medevalkit"):
        compare(two[0], tmp_path)
    (tmp_path / "other").mkdir()
    lines = (tmp_path / "toy" / "part-00000.jsonl").read_text().splitlines()[:4]
    records = [{**json.loads(line), "images": []} for line in lines]
    for number, record in enumerate(records):
        record["id"] = f"toy/{number:020x}"
    path = tmp_path / "other" / "toy.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    other = made(path, tmp_path / "apart", "oracle")
    with pytest.raises(SettingsError, match="no item in common"):
        compare(two[0], other)


def test_json_can_be_read_again(two):
    found = compare(*two)
    assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_formats(two):
    found = comparison_grids(compare(*two), most=2)
    assert "| task | kind | measure |" in written(found, "markdown")
    assert r"\begin{tabular}" in written(found, "latex")


def test_the_order_of_the_items_does_not_matter(two):
    before = compare(*two)
    path = two[1] / "items" / "toy.jsonl"
    lines = path.read_text().splitlines()
    random.Random(1).shuffle(lines)
    path.write_text("\n".join(lines) + "\n")
    assert compare(*two) == before
