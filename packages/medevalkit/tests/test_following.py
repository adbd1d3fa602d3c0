import pytest

from lingshu_core.errors import DataError
from lingshu_core.recipe import load_recipe
from medevalkit.folder import locked
from medevalkit.following import Following
from medevalkit.run import run
from medevalkit.settings import RunSettings


@pytest.fixture
def ended(toy, tmp_path):
    """Returns a run of 40 items, every third of them open, and the lines of its journal."""
    out = tmp_path / "out"
    given = ["model=constant:CT", f'tasks=["manifest:{toy(40, reports=False)}"]']
    run(load_recipe(RunSettings, None, given), out)
    return out, (out / "journal.jsonl").read_bytes().splitlines(keepends=True)


def test_answers_come_once_each_as_they_are_written(ended):
    out, lines = ended
    journal = out / "journal.jsonl"
    journal.write_bytes(b"".join(lines[:21]) + lines[21][:-5])
    following = Following(out)
    assert len(following) == 14
    first = list(following.new())
    assert len(first) == 7 and list(following.new()) == []
    with journal.open("ab") as file:
        file.write(lines[21][-5:] + b"".join(lines[22:]))
    rest = list(following.new())
    items = [record.id for record, _ in first + rest]
    assert len(items) == len(set(items)) == 14
    for record, prediction in first + rest:
        assert record.answer_kind == "open"
        assert prediction.item == record.id and prediction.response == "CT"


def test_nothing_comes_before_the_first_answer(ended):
    out, lines = ended
    (out / "journal.jsonl").unlink()
    following = Following(out)
    assert list(following.new()) == []
    (out / "journal.jsonl").write_bytes(lines[0])
    assert list(following.new()) == []


def test_what_failed_in_passing_is_waited_for(ended):
    out, lines = ended
    failed = [line.replace(b'"passing":false', b'"passing":true') for line in lines]
    (out / "journal.jsonl").write_bytes(b"".join([lines[0], *failed[1:], *lines[1:]]))
    assert len(list(Following(out).new())) == 14


def test_a_broken_line_is_named(ended):
    out, lines = ended
    (out / "journal.jsonl").write_bytes(lines[0] + b"{broken}\n")
    with pytest.raises(DataError, match=r"journal\.jsonl: is no line of a journal"):
        list(Following(out).new())


def test_another_process_is_seen(ended):
    out, _ = ended
    following = Following(out)
    assert not following.under_way()
    with locked(out):
        assert following.under_way()
    assert not following.under_way()
