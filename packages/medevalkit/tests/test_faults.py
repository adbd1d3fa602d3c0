"""What goes wrong around a run: kills, full disks, long items, odd pictures, two processes."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image as Pillow

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Image, Prediction, Question, Source
from medevalkit.run import run
from medevalkit.settings import RunSettings

PRODUCER = Producer(package="tests", version="0", command="tests", settings="none")
SOURCE = Source(dataset="faults", licence="CC0-1.0", split="test")
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from medevalkit.cli import main
sys.argv = ["medevalkit", *sys.argv[2:]]
main()
"""
"""A file that may not grow stands for a disk that is full: both take part of a write, or none."""

DRAWN = """
from medevalkit.backend import Answer, Backend, named

class Seen:
    def answers(self, requests):
        for request in requests:
            (shown,) = request.pictures
            yield Answer(request, f"{shown.decoded.mode} {shown.decoded.size}", "stop")

    def close(self):
        pass

SEEN = Backend("says what it sees", lambda name, settings: Seen(), named, pictures="decoded")
"""

LATE = """
import time
from medevalkit.backend import Answer, Backend, named

class Late:
    def answers(self, requests):
        for request in requests:
            time.sleep(0.1)
            yield Answer(request, "yes", "stop")

    def close(self):
        pass

LATE = Backend("takes its time", lambda name, settings: Late(), named)
"""


def said_by(model: str, task: Path, out: Path) -> dict[str, Prediction]:
    run(load_recipe(RunSettings, None, [f"model={model}", f'tasks=["manifest:{task}"]']), out)
    return {p.item: p for p in Manifest(out / "predictions").of(Prediction)}


def question(name: str, text: str, images: tuple[Image, ...] = ()) -> Question:
    return Question(
        id=record_id("faults", name),
        source=SOURCE,
        images=images,
        modality="ct" if images else "text",
        question=text,
        answer="yes",
        answer_kind="closed",
    )


def saved(picture: Pillow.Image, form: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **more)
    return buffer.getvalue()


def test_odd_pictures_are_shown_or_fail_alone(tmp_path: Path) -> None:
    size = (8, 6)
    deep = Pillow.new("I;16", size)
    deep.putdata([1000 * n for n in range(48)])
    frames = [Pillow.new("RGB", size, colour) for colour in ("red", "blue")]
    bomb = bytearray(saved(Pillow.new("L", size), "PNG"))
    bomb[16:24] = (60000).to_bytes(4, "big") * 2
    files = {
        "cmyk.jpg": saved(Pillow.new("CMYK", size), "JPEG"),
        "deep.png": saved(deep, "PNG"),
        "moving.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "bomb.png": bytes(bomb),
        "text.png": b"not a picture",
        "cut.png": saved(Pillow.new("RGB", (64, 64), "red"), "PNG")[:60],
        "missing.png": saved(Pillow.new("RGB", size, "red"), "PNG"),
    }
    task = tmp_path / "task"
    with ManifestWriter(task, producer=PRODUCER) as writer:
        for name, data in files.items():
            ref = writer.add_file(data, suffix=Path(name).suffix)
            image = Image(path=ref.path, sha256=ref.sha256, width=size[0], height=size[1])
            writer.write(question(name, f"What is {name}?", (image,)))
            if name == "missing.png":
                lost = ref.path
    (task / lost).unlink()
    plugin = tmp_path / "seen.py"
    plugin.write_text(DRAWN, encoding="utf-8")
    found = said_by(f"{plugin}:SEEN:x", task, tmp_path / "out")
    said = {name: found[record_id("faults", name)] for name in files}
    for name in ("cmyk.jpg", "deep.png", "moving.gif"):
        assert said[name].response == "RGB (8, 6)", said[name].error
    for name, why in {
        "bomb.png": "refuse_pixels",
        "text.png": "cannot be decoded",
        "cut.png": "cannot be decoded",
        "missing.png": "there is no",
    }.items():
        assert said[name].finish_reason == "error"
        assert why in said[name].error


def test_items_of_a_hundred_thousand_characters(tmp_path: Path) -> None:
    task = tmp_path / "task"
    with ManifestWriter(task, producer=PRODUCER) as writer:
        writer.write(question("long", "x" * 100_000))
        writer.write(question("wide", "是" * 100_000))
    long = "no " * 40_000 + "yes"
    found = said_by(f"constant:{long}", task, tmp_path / "out")
    assert [len(p.response) for p in found.values()] == [len(long)] * 2


def start(words: list[str], **more: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more
    )


@pytest.mark.slow
def test_a_full_disk_loses_nothing(toy, tmp_path: Path) -> None:
    task, out = toy(200), tmp_path / "out"
    words = ["run", "--model", "constant:yes", "--tasks", f"manifest:{task}", "--out", str(out)]
    child = start([sys.executable, "-c", LIMITED, "70000", *words])
    _, complaint = child.communicate(timeout=60)
    assert child.returncode != 0
    assert "the disk is full" in complaint
    kept = (out / "journal.jsonl").read_bytes()
    assert len(kept) <= 70000
    whole = kept[: kept.rindex(b"\n") + 1]
    again = start([sys.executable, "-m", "medevalkit", *words])
    _, complaint = again.communicate(timeout=60)
    assert again.returncode == 0, complaint
    journal = (out / "journal.jsonl").read_bytes()
    assert journal.startswith(whole)
    predictions = [json.loads(line)["prediction"]["id"] for line in journal.splitlines()[1:]]
    assert len(predictions) == len(set(predictions)) == 200


@pytest.mark.slow
def test_a_second_process_stops_and_the_first_goes_on(toy, tmp_path: Path) -> None:
    task, out, plugin = toy(100), tmp_path / "out", tmp_path / "late.py"
    plugin.write_text(LATE, encoding="utf-8")
    words = ["--model", f"{plugin}:LATE:x", "--tasks", f"manifest:{task}", "--out", str(out)]
    command = [sys.executable, "-m", "medevalkit", "run", *words]
    first = start(command)
    deadline = time.monotonic() + 60
    while not (out / "journal.jsonl").is_file():
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    second = start(command)
    _, complaint = second.communicate(timeout=60)
    assert first.poll() is None, "the first had ended: nothing was shown"
    assert second.returncode != 0
    assert "another process is working" in complaint and "Traceback" not in complaint
    _, complaint = first.communicate(timeout=60)
    assert first.returncode == 0, complaint
    assert len(list(Manifest(out / "predictions").of(Prediction))) == 100


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_fault_through_the_command_loses_nothing(tmp_path: Path) -> None:
    alone = subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True)
    if alone.returncode:
        pytest.skip("no disk can be mounted here")
    bench, found = Path(__file__).parent.parent / "bench" / "faults.py", tmp_path / "found.json"
    # It ends with 1 where a score differs or an answer was asked for again.
    done = subprocess.run(
        [sys.executable, str(bench), "--out", str(found)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    rows = json.loads(found.read_bytes())
    assert {row["exit"] for row in rows["endpoint"]} == {0, 2, 4}
    assert {row["exit"] for row in rows["disk"]} == {4}
    assert [row["exit"] for row in rows["processes"]] == [2, 2, 0]
    assert all(row["then"] == 0 for row in (*rows["endpoint"], *rows["disk"], rows["judge"]))
