"""Manifests to foreign formats and back."""

from importlib.metadata import version
from pathlib import Path

from lingshu_core.converter import CONVERTERS, Importing
from lingshu_core.digest import digest
from lingshu_core.files import fresh_folder
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Source


def convert_to(path: Path, out: Path, name: str) -> int:
    """Writes a manifest as a folder in a foreign format; returns how many records it wrote."""
    converter = CONVERTERS.get(name)
    with fresh_folder(out) as folder:
        return converter.write(Manifest(path), folder)


def convert_from(
    path: Path, out: Path, name: str, *, images: Path | None, dataset: str, licence: str
) -> int:
    """Writes a foreign file as a manifest; returns how many records it read.

    Args:
        path: The foreign file.
        out: The manifest.
        name: The format.
        images: Where paths of pictures start; the file's folder if None.
        dataset: What the source of the records is called.
        licence: Its licence.
    """
    converter = CONVERTERS.get(name)
    producer = Producer(
        package="lingshu-core",
        version=version("lingshu-core"),
        command="lingshu manifest convert",
        settings=digest({"from": name, "dataset": dataset, "licence": licence}),
    )
    source = Source(dataset=dataset, licence=licence)
    count = 0
    with ManifestWriter(out, producer=producer) as writer:
        root = images or (path if path.is_dir() else path.parent)
        for record in converter.read(Importing(path, source, writer, root)):
            writer.write(record)
            count += 1
    return count
