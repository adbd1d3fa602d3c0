"""Manifests to foreign formats and back."""

import time
from pathlib import Path

from lingshu_core import fingerprint
from lingshu_core.console import progress, say
from lingshu_core.converter import CONVERTERS, Importing
from lingshu_core.errors import DataError
from lingshu_core.files import fresh_folder
from lingshu_core.ids import Ids
from lingshu_core.making import Making
from lingshu_core.manifest import Manifest, Parent
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import Facts
from lingshu_core.recipe import check
from lingshu_core.records import Source
from lingshu_core.tally import Tally, tally_panels

_COMMAND = "lingshu manifest convert"


def convert_to(path: Path, out: Path, name: str) -> int:
    """Writes a manifest as a folder in a foreign format; returns how many records it wrote.

    Raises:
        SettingsError: There is no such format, or `out` is something else.
        DataError: A record or a picture is broken, or cannot be put into the format.
    """
    converter = CONVERTERS.get(name)
    manifest = Manifest(path)
    making = Making(command=_COMMAND, inputs=(manifest.digest(),), settings={"to": name})
    if making.is_done(out):
        return len(manifest)
    started = time.monotonic()
    with fresh_folder(out) as folder:
        try:
            count = converter.write(manifest, folder)
        except DataError as error:
            raise error.within(path) from None
        making.publish(
            folder,
            title=f"A manifest as {name}",
            seconds=time.monotonic() - started,
            counts={"out": count},
            panels=(Facts(title=converter.describe, facts={"records": count}, wide=True),),
        )
    return count


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

    Raises:
        SettingsError: There is no such format, or `out` is something else.
        DataError: The file is broken; the message names the place.
    """
    converter = CONVERTERS.get(name)
    source = check(Source, {"dataset": dataset, "licence": licence}, where="settings")
    parent = Parent(path=str(path), digest=fingerprint.of_input(path))
    making = Making(
        command=_COMMAND,
        inputs=(parent.digest,),
        settings={
            "from": name,
            "images": str(images or ""),
            "dataset": dataset,
            "licence": licence,
        },
    )
    if making.is_done(out):
        return len(Manifest(out))
    started = time.monotonic()
    tally, seen, repeated = Tally(), set[int](), 0
    with ManifestWriter(out, producer=making.producer(), parents=[parent]) as writer:
        root = images or (path if path.is_dir() else path.parent)
        for record in progress(converter.read(Importing(path, source, writer, root)), "convert"):
            # Ids follow from the content: the same conversation twice is the same record.
            if Ids.key(record.id) in seen:
                repeated += 1
                continue
            seen.add(Ids.key(record.id))
            writer.write(record)
            tally.add(record)
        making.publish(
            writer.folder,
            title=f"A manifest from {name}",
            seconds=time.monotonic() - started,
            counts={"in": tally.records + repeated, "repeated": repeated, "out": tally.records},
            panels=tally_panels({dataset: tally}),
        )
    if repeated:
        say(f"{repeated} repeated conversations were left out")
    return tally.records
