"""The command `lingshu`: whole recipes, and manifests as such."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app, say
from lingshu_core.errors import SettingsError

app = new_app(
    "Run a recipe from raw data to an evaluated model; look at manifests and convert them.",
    distribution="lingshu-core",
)
manifests = new_app("Look at manifests, check them, put them together, convert them.")
app.add_typer(manifests, name="manifest")

_Manifest = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="A manifest folder, or a .jsonl file.")
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; must not exist.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@app.command()
def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A TOML file with steps.")],
    overrides: Overrides = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Steps at the same time, where they can be.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which steps would run, and run none.")
    ] = False,
) -> None:
    """Run the steps of a recipe that are not up to date, and write the page of the run.

    Example: `lingshu run recipes/nano.toml --set seed=1`
    """
    from lingshu_core.pipeline import run_pipeline

    run_pipeline(recipe, overrides or (), at_once=jobs, dry_run=dry_run)


@manifests.command()
def show(
    path: _Manifest,
    number: Annotated[int, typer.Option("-n", min=0, help="How many records to print.")] = 3,
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
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A record type, `record`, `manifest` or `checkpoint`."),
    ] = "record",
) -> None:
    """Print the JSON Schema of a record type, of any record, or of what describes a folder.

    Example: `lingshu manifest schema question`
    """
    from lingshu_core.schemas import schema as find

    typer.echo(json.dumps(find(name), indent=2))


@manifests.command()
def merge(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="MANIFEST", help="In the order of the result."),
    ],
    out: _Out,
) -> None:
    """Write the records of several manifests into one.

    Example: `lingshu manifest merge a b --out both`
    """
    from lingshu_core.manifest import Manifest
    from lingshu_core.selection import merge as join

    count = join([Manifest(path) for path in paths], out)
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
    from lingshu_core.manifest import Manifest
    from lingshu_core.selection import split as divide

    counts = divide(Manifest(path), out, _shares(shares or []), seed=seed)
    for name, count in counts.items():
        typer.echo(f"{out / name}: {count} records")


def _shares(words: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for word in words:
        name, _, share = word.partition("=")
        try:
            number = float(share)
        except ValueError:
            raise SettingsError(f"a share is written like train=0.8, not {word!r}") from None
        if name in found:
            raise SettingsError(f"the share of {name!r} is given twice")
        found[name] = number
    return found


@manifests.command()
def convert(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="What is converted.")],
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
