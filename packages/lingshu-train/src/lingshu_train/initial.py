"""`lingshu-train init`: a base checkpoint that stages can go on from, without a download."""

from importlib.metadata import version
from pathlib import Path

from lingshu_core.checkpoint import Checkpoint, describe, is_checkpoint, read_checkpoint
from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.files import fresh_folder
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.page import publish
from lingshu_core.panels import Stats, Table
from lingshu_train.building import write_base
from lingshu_train.groups import audit
from lingshu_train.settings import Shape


def init_checkpoint(shape: Shape, recipe: str, corpus: Path, out: Path) -> None:
    """Writes a checkpoint of stage `base`; says so where it stands already.

    Raises:
        SettingsError: `out` holds something else.
        DataError: The corpus cannot be read.
    """
    manifest = Manifest(corpus)
    producer = Producer(
        package="lingshu-train",
        version=version("lingshu-train"),
        command=f"init {recipe}",
        settings=shape.digest(),
    )
    parents = (manifest.parent(),)
    if is_checkpoint(out):
        found = read_checkpoint(out)
        if (found.producer.settings, found.parents[0].digest) != (
            producer.settings, parents[0].digest,
        ):  # fmt: skip
            raise SettingsError(f"{out} was made from something else: name another --out")
        say(f"{out}: nothing to do, the checkpoint is there")
        return
    with fresh_folder(out) as folder:
        model = write_base(shape, manifest, folder)
        describe(
            folder,
            Checkpoint(
                stage="base", recipe=recipe, producer=producer, parents=parents, steps=0, samples=0
            ),
        )
        shape.write(folder / "settings.json")
        members = audit(model)
        total = sum(part.parameters for part in members.values())
        publish(
            folder,
            Stats(
                title=f"Base model: {shape.name}",
                summary=f"{total:,} parameters with random weights.",
                package="lingshu-train",
                version=version("lingshu-train"),
                command=f"init {recipe}",
                counts={name: part.parameters for name, part in members.items()},
                panels=(
                    Table(
                        title="Parts",
                        columns=("part", "tensors", "parameters"),
                        rows=tuple(
                            (name, part.tensors, part.parameters) for name, part in members.items()
                        ),
                    ),
                ),
            ),
        )
    say(f"{out}: {total:,} parameters")
