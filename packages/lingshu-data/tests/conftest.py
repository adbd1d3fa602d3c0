"""What the tests share: a small real collection, and manifests made of a few pictures."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Image, Imaging, RecordBase, Source
from lingshu_data.ingest import ingest
from lingshu_data.settings import Running
from lingshu_data.sources.nano import NanoSettings

PRODUCER = Producer(package="tests", version="0", command="pytest", settings="0")


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("nano") / "nano"
    ingest("nano", None, out, NanoSettings(views=44), Running())
    return out


def noise(seed: int, width: int = 80, height: int = 72) -> Pillow.Image:
    """Returns a picture with much to see, different for every seed."""
    random = np.random.default_rng(seed)
    coarse = Pillow.fromarray(random.integers(0, 256, (9, 10, 3), dtype=np.uint8))
    return coarse.resize((width, height), Pillow.Resampling.BICUBIC)


def png(image: Pillow.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", **options)
    return buffer.getvalue()


class Builder:
    """Writes a manifest of records with pictures."""

    def __init__(self, out: Path) -> None:
        self._writer = ManifestWriter(out, producer=PRODUCER)
        self._writer.__enter__()
        self.count = 0

    def image(self, data: bytes, **place: object) -> Image:
        ref = self._writer.add_file(data, suffix=".png")
        try:
            width, height = Pillow.open(io.BytesIO(data)).size
        except Exception:
            width = height = 64
        return Image(path=ref.path, sha256=ref.sha256, width=width, height=height, **place)

    def imaging(self, *pictures: bytes, dataset: str = "toy", rank: int = 50, **fields: object):
        place = fields.pop("place", {})
        images = tuple(self.image(data, **place) for data in pictures)
        self.count += 1
        record = Imaging(
            id=record_id(dataset, str(self.count)),
            source=Source(dataset=dataset, licence="CC0-1.0", rank=rank),
            images=images,
            **{"modality": "xray", **fields},
        )
        self._writer.write(record)
        return record

    def write(self, record: RecordBase) -> RecordBase:
        self._writer.write(record)
        return record

    def close(self) -> None:
        self._writer.__exit__(None, None, None)


@pytest.fixture
def build(tmp_path: Path) -> Iterable[Callable[..., Builder]]:
    opened: list[Builder] = []

    def start(name: str = "in") -> Builder:
        opened.append(Builder(tmp_path / name))
        return opened[-1]

    yield start


def ids(path: Path) -> list[str]:
    return [record.id for record in Manifest(path)]


@pytest.fixture
def pictures() -> tuple[Callable[..., Pillow.Image], Callable[..., bytes]]:
    return noise, png


@pytest.fixture
def records_of() -> Callable[[Path], list[RecordBase]]:
    return lambda path: list(Manifest(path))
