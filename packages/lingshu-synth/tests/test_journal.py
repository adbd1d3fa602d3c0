import asyncio
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lingshu_core.errors import DataError, SettingsError, Stopped
from lingshu_synth.call import Call, Message, request_of
from lingshu_synth.journal import NAME, End, Journal, JournalReader
from lingshu_synth.settings import ModelSettings, PicturePolicy


def request(text, **model):
    call = Call(
        stage="ask",
        prompt="p",
        prompt_sha256="0" * 64,
        messages=(Message("user", (text,)),),
        model=ModelSettings(name="m", **model),
        pictures=PicturePolicy(),
    )
    return request_of(call)


def answer(journal, asked, raw=b'{"a": 1}', **end):
    ticket = journal.begin(journal.find(asked.key), asked, "openai", most_usd=0.5)
    journal.settle(ticket, End("answered", 200, raw, **end))
    journal.flush()
    return ticket


def test_a_reply_is_found_by_what_was_asked(tmp_path):
    asked = request("one")
    with Journal(tmp_path / "j") as journal:
        assert journal.find(asked.key) is None
        answer(journal, asked, prompt_tokens=3, completion_tokens=4, usd=0.1)
        known = journal.find(asked.key)
        assert known.stored.raw == b'{"a": 1}' and known.replies == 1
        assert journal.find(request("two").key) is None
    with Journal(tmp_path / "j") as journal:
        assert journal.find(asked.key).stored.status == 200
        assert journal.body(known.id)["messages"][0]["content"] == ["one"]


def test_what_changes_the_key_and_what_does_not():
    base = request("one")
    others = [
        request("one ."),
        request("one", temperature=0.1),
        request("one", top_p=0.5),
        request("one", max_tokens=7),
        request("one", seed=1),
        request("one", extra={"reasoning_effort": "low"}),
    ]
    assert len({other.key for other in others} | {base.key}) == len(others) + 1
    call = base.call
    for same in (
        replace(call, stage="other"),
        replace(call, prompt="q", prompt_sha256="1" * 64),
        replace(call, example="other"),
    ):
        assert request_of(same).key == base.key
    for other in (replace(call, replica=1), replace(call, schema={"name": "x"})):
        assert request_of(other).key != base.key


def test_keys_are_the_same_on_every_machine_and_in_every_version():
    """Another key for the same question would have all of a journal paid again."""
    assert request("one").key == (
        "52eba1856a9ecae850b54c647605dd4cdc7bc41cdf80f6d03128566f83440823"
    )
    assert request("ß 日本", seed=3).key == (
        "0acb8a95749bc5046a1a44e86942543030474141027f5a9d14bf4fc6a890d5b7"
    )


def test_the_last_settled_reply_counts(tmp_path):
    asked = request("one")
    with Journal(tmp_path / "j") as journal:
        answer(journal, asked, b"first")
        answer(journal, asked, b"second")
        known = journal.find(asked.key)
        assert known.stored.raw == b"second" and known.replies == 2


@pytest.mark.parametrize("state", ["refused", "failed", "lost"])
def test_other_ends_are_no_replies(tmp_path, state):
    asked = request("one")
    with Journal(tmp_path / "j") as journal:
        ticket = journal.begin(None, asked, "openai")
        journal.settle(ticket, End(state, 500, b"broken"))
        journal.flush()
        known = journal.find(asked.key)
        assert known.stored is None and known.replies == 0
        assert journal.under_way() == []


def test_one_process_at_a_time(tmp_path):
    with Journal(tmp_path / "j"), pytest.raises(SettingsError, match="another run"):
        Journal(tmp_path / "j").__enter__()
    with Journal(tmp_path / "j"):
        pass


def test_a_reader_reads_while_another_writes(tmp_path):
    asked = request("one")
    with Journal(tmp_path / "j") as journal:
        answer(journal, asked)
        reader = JournalReader(tmp_path / "j" / NAME)
        assert reader.find(asked.key).stored
        reader.close()


def test_a_newer_format_is_refused(tmp_path):
    with Journal(tmp_path / "j"):
        pass
    with sqlite3.connect(tmp_path / "j" / NAME) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(SettingsError, match="upgrade"):
        Journal(tmp_path / "j").__enter__()


def test_another_file_is_no_journal(tmp_path):
    (tmp_path / "j").mkdir()
    (tmp_path / "j" / NAME).write_text("something else entirely, long enough to be looked at")
    with pytest.raises(DataError, match="no journal"):
        Journal(tmp_path / "j").__enter__()


def test_a_far_file_system_is_refused(tmp_path, monkeypatch):
    mounts = f"server:/x {tmp_path} nfs4 rw 0 0\nroot / ext4 rw 0 0\n"
    read = Path.read_text
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda self, *a, **k: mounts if str(self) == "/proc/self/mounts" else read(self, *a, **k),
    )
    with pytest.raises(SettingsError, match="nfs4"):
        Journal(tmp_path / "j").__enter__()


def test_a_fault_of_the_disk_is_told_to_who_waits(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.execute("INSERT INTO nowhere VALUES (1)")
        with pytest.raises(Stopped, match="cannot be written"):
            journal.flush()

        async def wait():
            await journal.committed()

        with pytest.raises(Stopped, match="cannot be written"):
            asyncio.run(wait())


def test_waiting_tasks_share_commits(tmp_path):
    async def run(journal):
        async def one(number):
            ticket = journal.begin(None, request(f"n {number}"), "openai")
            await journal.committed()
            journal.settle(ticket, End("answered", 200, b"{}"))
            await journal.committed()

        await asyncio.gather(*(one(number) for number in range(500)))

    with Journal(tmp_path / "j") as journal:
        start = time.monotonic()
        asyncio.run(run(journal))
        assert time.monotonic() - start < 5, "500 calls need a few commits, not a thousand"
        ((count,),) = journal.rows("SELECT count(*) FROM attempt WHERE state = 'answered'")
        assert count == 500


_WRITER = """
    import asyncio, sys
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    from test_journal import request
    from lingshu_synth.journal import End, Journal

    async def one(journal, number):
        ticket = journal.begin(None, request(f"n {number}"), "openai", most_usd=0.25)
        await journal.committed()
        print("sent", number, flush=True)
        await asyncio.sleep(0.002)
        journal.settle(ticket, End("answered", 200, b"{}"))
        await journal.committed()
        print("told", number, flush=True)

    async def main(journal):
        for start in range(0, 100_000, 8):
            await asyncio.gather(*(one(journal, start + i) for i in range(8)))

    with Journal(Path(sys.argv[1])) as journal:
        asyncio.run(main(journal))
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.15, 0.3, 0.45, 0.6])
def test_killed_at_any_moment_it_has_all_that_it_promised(tmp_path, delay):
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(_WRITER),
            str(tmp_path / "j"),
            str(Path(__file__).parent),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    first = process.stdout.readline()
    assert first.startswith("sent")
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    lines = [first, *process.stdout.read().splitlines()]
    process.stdout.close()
    process.wait()
    sent = {line.split()[1] for line in lines if line.startswith("sent ") and line[5:].strip()}
    told = {line.split()[1] for line in lines if line.startswith("told ") and line[5:].strip()}
    with Journal(tmp_path / "j") as journal:
        for number in told:
            assert journal.find(request(f"n {number}").key).stored, "a promised reply is lost"
        known = {number for number in sent if journal.find(request(f"n {number}").key)}
        assert known == sent, "an attempt was made that the journal does not know of"
        under_way = journal.under_way()
        assert len(under_way) <= 8
        assert all(one.most_usd == 0.25 for one in under_way)
