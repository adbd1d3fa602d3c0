"""Small manifests of drawn pictures that several tests read."""

import hashlib
import json
import subprocess
import sys
import urllib.request
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


@pytest.fixture(name="synth")
def _synth():
    return synth


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    monkeypatch.setenv("LINGSHU_PLUGINS", "0")


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
    """Endpoints without any wishes, which tests use one after the other."""
    servers = []
    yield servers
    for one in servers:
        one.stop()


@pytest.fixture
def server(idle):
    """Starts servers that end with the test."""
    started, lent = [], []

    def start(script: str = "mock_endpoint.py", *words: object) -> Server:
        if script == "mock_endpoint.py" and not words:
            one = idle.pop() if idle else Server(script)
            one.get("/admin/reset")
            lent.append(one)
            return one
        started.append(Server(script, *words))
        return started[-1]

    yield start
    for one in started:
        one.stop()
    idle += [one for one in lent if one.process.poll() is None]


@pytest.fixture
def pictures(tmp_path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture
def varied(pictures) -> Path:
    """120 records: three modalities, four organs, findings there and not, boxes at known places."""
    modalities = ("ct", "mri", "xray")
    organs = ("brain", "liver", "knee", "prostate")
    records = []
    for number in range(120):
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
def asked_questions(varied, synth, tmp_path) -> Path:
    """Template questions about drawn pictures."""
    return synth("vqa", varied, tmp_path / "questions", per_record=2, limit=10)
