"""The command `lingshu`: whole recipes, and manifests as such."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app, say
from lingshu_core.errors import SettingsError

app = new_app(
    "Run a recipe from raw data to an evaluated model; look at manifests and convert them."
)
manifests = new_app("Look at manifests, check them, put them together, convert them.")
app.add_typer(manifests, name="manifest")

_Manifest = Annotated[Path, typer.Argument(help="A manifest folder, or a .jsonl file.")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; must not exist.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@app.command()
def run(
    recipe: Annotated[Path, typer.Argument(help="A TOML file with steps.")],
    overrides: Overrides = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which steps would run, and run none.")
    ] = False,
) -> None:
    """Run the steps of a recipe that are not up to date, and write the page of the run.

    Example: `lingshu run recipes/nano.toml --set seed=1`
    """
    from lingshu_core.pipeline import run_pipeline

    run_pipeline(recipe, overrides or (), dry_run=dry_run)


@manifests.command()
def show(
    path: _Manifest,
    number: Annotated[int, typer.Option("-n", help="How many records to print.")] = 3,
    record: Annotated[str, typer.Option("--id", help="Print the record with this id.")] = "",
) -> None:
    """Print what a manifest is and its first records.

    Example: `lingshu manifest show runs/nano/curate -n 1`
    """
    from itertools import islice

    from lingshu_core.manifest import Manifest

    manifest = Manifest(path)
    if record:
        found = next((item for item in manifest if item.id == record), None)
        if found is None:
            raise SettingsError(f"{path} holds no record {record!r}")
        typer.echo(found.model_dump_json(indent=2, exclude_none=True))
        return
    if manifest.header:
        say(f"{path}: {manifest.header.count} records, digest {manifest.digest()}")
        for name, kind in manifest.header.records.items():
            say(f"  {name}: {kind.count}")
        made = manifest.header.producer
        say(f"  made by {made.command} ({made.package} {made.version})")
    for item in islice(manifest, number):
        typer.echo(item.model_dump_json(indent=2, exclude_none=True))


@manifests.command()
def validate(
    path: _Manifest,
    root: Annotated[Path | None, typer.Option(help="Where paths of pictures start.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Hash every picture as well.")] = False,
) -> None:
    """Check header, hashes, counts, every record and every picture; exit 3 if one is broken.

    Example: `lingshu manifest validate runs/nano/curate --deep`
    """
    from lingshu_core.manifest import Manifest
    from lingshu_core.validation import validate as check

    found = check(Manifest(path, root=root), deep=deep)
    for fault in found.faults:
        say(f"error: {fault}")
    for what, counts in (
        ("type", found.types),
        ("modality", found.modalities),
        ("dataset", found.datasets),
    ):
        say(f"{what}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    if found.faults:
        raise typer.Exit(3)
    typer.echo(f"{path}: {found.records} records, all good")


@manifests.command()
def schema(
    record: Annotated[str, typer.Argument(help="A record type; all of them if left out.")] = "",
) -> None:
    """Print the JSON Schema of a record type, or of all of them.

    Example: `lingshu manifest schema question`
    """
    from lingshu_core.recipe import nearest
    from lingshu_core.records import TYPES, json_schema

    if record and record not in TYPES:
        raise SettingsError(f"{record!r} is no record type{nearest(record, TYPES)}")
    typer.echo(json.dumps(json_schema(record or None), indent=2))


@manifests.command()
def merge(
    paths: Annotated[list[Path], typer.Argument(help="Manifests, in the order of the result.")],
    out: _Out,
) -> None:
    """Write the records of several manifests into one.

    Example: `lingshu manifest merge a b --out both`
    """
    from lingshu_core.manifest import Manifest, Producer
    from lingshu_core.selection import merge as join

    producer = Producer(
        package="lingshu-core",
        version=version("lingshu-core"),
        command="lingshu manifest merge",
        settings="",
    )
    count = join([Manifest(path) for path in paths], out, producer)
    typer.echo(f"{out}: {count} records")


@manifests.command()
def split(
    path: _Manifest,
    out: _Out,
    shares: Annotated[
        list[str] | None, typer.Option("--share", metavar="NAME=SHARE", help="Such as train=0.8.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another division by share.")] = 0,
) -> None:
    """Divide a manifest: by share, or as its publisher does where no share is given.

    Records of one group (study, patient, picture) stay together.

    Example: `lingshu manifest split all --out parts --share train=0.9 --share test=0.1`
    """
    from lingshu_core.digest import digest
    from lingshu_core.manifest import Manifest, Producer
    from lingshu_core.selection import by_publisher, by_share
    from lingshu_core.selection import split as divide

    try:
        wanted = {name: float(share) for name, _, share in (s.partition("=") for s in shares or ())}
    except ValueError:
        raise SettingsError(f"shares are written like train=0.8, not {shares}") from None
    producer = Producer(
        package="lingshu-core",
        version=version("lingshu-core"),
        command="lingshu manifest split",
        settings=digest({"shares": wanted, "seed": seed}),
    )
    side = by_share(wanted, seed) if wanted else by_publisher
    counts = divide(Manifest(path), out, producer, side)
    for name, count in counts.items():
        typer.echo(f"{out / name}: {count} records")


@manifests.command()
def convert(
    path: Annotated[Path, typer.Argument(help="What is converted.")],
    out: _Out,
    to: Annotated[str, typer.Option("--to", help="parquet, openai-chat, llava, sharegpt")] = "",
    source_format: Annotated[str, typer.Option("--from", help="The same names.")] = "",
    images: Annotated[Path | None, typer.Option(help="Where paths of pictures start.")] = None,
    dataset: Annotated[str, typer.Option(help="Name of the dataset that is read.")] = "imported",
    licence: Annotated[str, typer.Option(help="Its licence.")] = "unknown",
) -> None:
    """Convert a manifest to another format, or another format to a manifest.

    Example: `lingshu manifest convert runs/nano/mix-deep --to llava --out llava`
    """
    from lingshu_core.conversion import convert_from, convert_to

    if bool(to) == bool(source_format):
        raise SettingsError("give either --to FORMAT or --from FORMAT")
    if to:
        count = convert_to(path, out, to)
    else:
        count = convert_from(
            path, out, source_format, images=images, dataset=dataset, licence=licence
        )
    typer.echo(f"{out}: {count} records")


if __name__ == "__main__":
    main()
