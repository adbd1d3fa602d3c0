"""Small manifests of drawn pictures that several tests read."""

import hashlib
import json
import shutil
import subprocess
import sys
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image as Picture
from PIL import ImageDraw

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Box, Image, Imaging, Instruction, RecordBase, Source

PRODUCER = Producer(package="tests", version="0", command="tests", settings="")


SERVERS = Path(__file__).parent / "servers"


def synth(name: str, inputs: Path, out: Path, **settings) -> Path:
    """Runs a generator in this process and returns the output."""
    from lingshu_synth.generator import GENERATORS
    from lingshu_synth.runner import Job, Ways, run

    ways = {k: settings.pop(k) for k in ("journal", "replay", "workers") if k in settings}
    chosen = GENERATORS.get(name).settings.model_validate(settings)
    run(Job(name, (inputs,), out, chosen, Ways(**ways)))
    return out


@pytest.fixture(name="synth", scope="session")
def _synth():
    return synth


@pytest.fixture(autouse=True, scope="module")
def no_plugins():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINGSHU_PLUGINS", "0")
        yield


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command line in this process: most of what one costs is to start another."""

    def run(*words: object) -> Done:
        from lingshu_synth.cli import main

        capsys.readouterr()
        status = 0
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["lingshu-synth", *map(str, words)])
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        told = capsys.readouterr()
        return Done(status, told.out, told.err)

    return run


class Pictures:
    """Draws pictures into a folder and makes records of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image(self, number: int, size=(96, 80), place=None) -> Image:
        picture = Picture.new("L", size, 20 + number % 200)
        pen = ImageDraw.Draw(picture)
        pen.line((0, number % size[1], size[0], 3), fill=255 - number % 120)
        if place is not None:
            pen.ellipse(place, fill=250)
        path = self.folder / f"raw-{number}.png"
        picture.save(path)
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        target = self.folder / "images" / f"{sha}.png"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
        return Image(path=f"images/{sha}.png", sha256=sha, width=size[0], height=size[1])

    def imaging(self, number: int, **fields) -> Imaging:
        boxes = fields.pop("boxes", ())
        image = fields.pop("image", None) or self.image(number)
        dataset = fields.pop("dataset", "drawn")
        return Imaging(
            id=record_id(dataset, str(number)),
            source=Source(dataset=dataset, licence="CC0-1.0", split="train", group=f"g{number}"),
            images=(image,),
            boxes=tuple(Box(**box) for box in boxes),
            **{"modality": "ct", "organ": "lung"} | fields,
        )

    def write(self, records: list[RecordBase], name: str = "in") -> Path:
        out = self.folder / name
        with ManifestWriter(out, producer=PRODUCER) as writer:
            (self.folder / "none.jsonl").touch()
            source = Manifest(self.folder / "none.jsonl", root=self.folder)
            for record in records:
                writer.write(record, source=source)
        return out


class Server:
    """A server of `tests/servers` in a process of its own."""

    def __init__(self, script: str, *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVERS / script), *map(str, words)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/v1"

    def get(self, path: str):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def stats(self):
        return self.get("/admin/stats")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def idle():
    """Endpoints by their wishes, which tests use one after the other."""
    servers = defaultdict(list)
    yield servers
    for same in servers.values():
        for one in same:
            one.stop()


@pytest.fixture(scope="module")
def endpoint(idle):
    """An endpoint for what several tests read."""
    one = idle[()].pop() if idle[()] else Server("mock_endpoint.py")
    yield one
    idle[()].append(one)


@pytest.fixture
def server(idle):
    """Starts servers that end with the test, or lends endpoints that others used before."""
    started, lent = [], []

    def start(script: str = "mock_endpoint.py", *words: object) -> Server:
        if script == "mock_endpoint.py":
            one = idle[words].pop() if idle[words] else Server(script, *words)
            one.get("/admin/reset")
            lent.append((words, one))
            return one
        started.append(Server(script, *words))
        return started[-1]

    yield start
    for one in started:
        one.stop()
    for words, one in lent:
        if one.process.poll() is None:
            idle[words].append(one)


@pytest.fixture
def pictures(tmp_path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory) -> Path:
    """60 records: three modalities, four organs, findings there and not, boxes at known places.

    For reading alone.
    """
    pictures = Pictures(tmp_path_factory.mktemp("gallery"))
    modalities = ("ct", "mri", "xray")
    organs = ("brain", "liver", "knee", "prostate")
    records = []
    for number in range(60):
        left, up = number % 2 == 0, number % 3 == 0
        x, y = (8 if left else 60), (6 if up else 50)
        states = {
            "nodule": "present" if number % 4 == 0 else "absent",
            "cyst": "present" if number % 5 == 0 else "absent",
            "edema": "uncertain" if number % 7 == 0 else "absent",
        }
        records.append(
            pictures.imaging(
                number,
                modality=modalities[number % 3],
                organ=organs[number % 4],
                labels=states,
                boxes=[{"x": x, "y": y, "width": 20, "height": 18, "label": "nodule"}]
                if states["nodule"] == "present"
                else [],
            )
        )
    return pictures.write(records)


@pytest.fixture
def varied(gallery, tmp_path) -> Path:
    """The gallery, to be broken."""
    return shutil.copytree(gallery, tmp_path / "in")


@pytest.fixture(scope="session")
def all_questions(gallery, synth, tmp_path_factory) -> Path:
    """All template questions about the gallery, for reading alone."""
    return synth("vqa", gallery, tmp_path_factory.mktemp("questions") / "out", per_record=8)


def _texts(count: int, words: str = "", start: int = 0) -> list[Instruction]:
    """Instructions that differ, as the input of `bench/one_call.py`."""
    return [
        Instruction(
            id=f"drawn/{number}",
            source=Source(dataset="drawn", licence="CC0-1.0"),
            modality="text",
            instruction=f"{number} {words}".strip(),
            response="-",
        )
        for number in range(start, start + count)
    ]


@pytest.fixture
def texts():
    return _texts


ONE_CALL = f"{Path(__file__).parents[1] / 'bench' / 'one_call.py'}:GENERATOR"


@pytest.fixture
def calls(synth, pictures):
    """Runs one call a record against an endpoint, and returns the output."""

    def run(records, url: str, name: str = "out", **settings) -> Path:
        inputs = pictures.folder / f"in-{name}"
        if not inputs.exists():
            pictures.write(records, inputs.name)
        model = {"name": "mock", "max_tokens": 100} | settings.pop("model", {})
        endpoints = settings.pop("endpoints", None) or [{"url": url}]
        made = {"endpoints": endpoints, "concurrency": 16} | settings.pop("calls", {})
        journal = settings.pop("journal", pictures.folder / "journal")
        return synth(
            ONE_CALL,
            inputs,
            pictures.folder / name,
            model=model,
            calls=made,
            journal=journal,
            **settings,
        )

    return run


@pytest.fixture
def asked_questions(gallery, synth, tmp_path) -> Path:
    """Some template questions about the gallery."""
    return synth("vqa", gallery, tmp_path / "questions", per_record=2, limit=6)
