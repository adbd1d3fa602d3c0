import os

import pytest

from lingshu_core.digest import record_id
from lingshu_core.errors import DataError
from lingshu_core.records import Prediction, Source
from medevalkit.journal import Journal


def prediction(number, response="yes", **more):
    return Prediction(
        id=record_id("toy", str(number)),
        source=Source(dataset="toy", licence="CC0-1.0"),
        modality="text",
        item=f"toy/{number}",
        task="toy",
        model="constant:yes",
        prompt_sha256="0" * 64,
        response=response,
        **{"finish_reason": "stop", **more},
    )


def key(number):
    return number.to_bytes(16, "big")


def test_what_was_written_is_there_after_a_restart(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for number in range(5):
            journal.add(key(number), prediction(number, f"answer {number}"))
    with Journal(path) as journal:
        assert len(journal) == 5
        assert journal.prediction(prediction(3).id).response == "answer 3"
        assert journal.answered(key(4)).response == "answer 4"
        assert journal.answered(key(7)) is None
        assert journal.prediction(prediction(9).id) is None


@pytest.mark.parametrize("lost", [1, 20, 200])
def test_a_cut_last_line_is_thrown_away(tmp_path, lost):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for number in range(3):
            journal.add(key(number), prediction(number))
    os.truncate(path, path.stat().st_size - lost)
    with Journal(path) as journal:
        assert len(journal) == 2
        journal.add(key(2), prediction(2, "again"))
    with Journal(path) as journal:
        assert [journal.has(prediction(number).id) for number in range(3)] == [True] * 3
        assert journal.prediction(prediction(2).id).response == "again"


def test_a_failure_in_passing_is_kept_but_asked_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    failed = prediction(1, "", finish_reason="error", error="503")
    with Journal(path) as journal:
        journal.add(key(1), failed, passing=True)
        assert not journal.has(failed.id)
        assert journal.prediction(failed.id).error == "503"
        assert journal.answered(key(1)) is None
    with Journal(path) as journal:
        journal.add(key(1), prediction(1))
        assert journal.prediction(failed.id).error is None


def test_an_answer_without_words_is_no_twin_for_others(tmp_path):
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.add(key(1), prediction(1, "", finish_reason="error", error="broken picture"))
        assert journal.has(prediction(1).id)
        assert journal.answered(key(1)) is None


def test_a_broken_line_in_the_middle_is_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(key(1), prediction(1))
    with path.open("ab") as file:
        file.write(b"{no json\n")
    with pytest.raises(DataError, match="no line of a journal"), Journal(path):
        pass


def test_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"format":"medevalkit-journal/2"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="newer"), Journal(path):
        pass
