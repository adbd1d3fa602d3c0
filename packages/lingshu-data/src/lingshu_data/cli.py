"""The command line of lingshu-data."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app
from lingshu_core.errors import SettingsError

if TYPE_CHECKING:
    # pydantic takes longer to import than `--help` may take.
    from lingshu_data.settings import Running

app = new_app(
    "Collect medical datasets, clean and deduplicate them, keep them apart from evaluation sets, "
    "and mix them for training."
)

_Inputs = Annotated[list[Path], typer.Argument(help="Manifest folders, or .jsonl files.")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; must not exist.")]
_Recipe = Annotated[
    str, typer.Option("--recipe", "-r", help="A recipe that comes with the package, or a .toml.")
]
_Workers = Annotated[int, typer.Option("--workers", "-w", min=1, help="Processes at a time.")]
_Engine = Annotated[str, typer.Option("--engine", help="local, ray, or one of a plug-in.")]
_Shard = Annotated[
    str,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only every N-th shard from the I-th, as in an "
        "array job; the run that finds all finished writes the output.",
    ),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check inputs and settings, say the plan, and stop.")
]


def main() -> None:
    """Runs the command line."""
    # Before numpy is imported: small products on many threads take three times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run_app(app)


@app.command()
def sources(
    name: Annotated[str, typer.Argument(help="Show one card in full.")] = "",
    part: Annotated[
        str, typer.Option(help="captions, instruction, text, imaging, general, rl or more.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="All cards as JSON.")] = False,
) -> None:
    """List the datasets with their place in the paper, licence and access, or show one card.

    Example: `lingshu-data sources --part captions`
    """
    from lingshu_data import listing

    if as_json:
        typer.echo(listing.as_json(part))
        return
    for line in listing.card_lines(name) if name else listing.listing(part):
        typer.echo(line)


@app.command()
def ingest(
    name: Annotated[str, typer.Argument(help="A name among `lingshu-data sources`.")],
    out: _Out,
    path: Annotated[
        Path | None, typer.Option("--path", "-p", help="Where the dataset lies.")
    ] = None,
    hub: Annotated[
        bool, typer.Option("--hub", help="Take it from the Hugging Face hub (lingshu-data[hub]).")
    ] = False,
    overrides: Overrides = None,
    workers: _Workers = 1,
    engine: _Engine = "local",
    shard: _Shard = "0/1",
    dry_run: _DryRun = False,
) -> None:
    """Read a dataset as its publisher lays it out into a manifest.

    Example: `lingshu-data ingest vqa-rad --path downloads/vqa-rad --out runs/vqa-rad`
    """
    from lingshu_core.recipe import load_recipe
    from lingshu_data.ingest import from_hub
    from lingshu_data.ingest import ingest as read
    from lingshu_data.source import SOURCES

    if hub and path is not None:
        raise SettingsError("give --path or --hub, not both")
    path = from_hub(name) if hub else path
    settings = load_recipe(SOURCES.get(name).settings, None, overrides or ())
    read(name, path, out, settings, _running(workers, engine, shard, dry_run))


@app.command()
def curate(
    paths: _Inputs,
    out: _Out,
    recipe: _Recipe,
    overrides: Overrides = None,
    workers: _Workers = 1,
    engine: _Engine = "local",
    shard: _Shard = "0/1",
    dry_run: _DryRun = False,
) -> None:
    """Take records through the operators of a recipe; what is dropped is kept with its reason.

    Example: `lingshu-data curate runs/roco runs/pmc-oa --recipe lingshu/captions --out runs/clean`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_data.curate import curate as run
    from lingshu_data.settings import CurateSettings

    settings = load_recipe(CurateSettings, find_recipe("lingshu_data", recipe), overrides or ())
    run(paths, out, settings, _running(workers, engine, shard, dry_run))


@app.command()
def decontaminate(
    paths: _Inputs,
    against: Annotated[
        list[Path], typer.Option("--against", "-a", help="An evaluation manifest; can be repeated.")
    ],
    out: _Out,
    overrides: Overrides = None,
    workers: _Workers = 1,
    engine: _Engine = "local",
    shard: _Shard = "0/1",
    dry_run: _DryRun = False,
) -> None:
    """Drop training records that overlap with evaluation sets, and list what overlapped with what.

    Example: `lingshu-data decontaminate runs/clean --against runs/vqa-rad-test --out runs/safe`
    """
    from lingshu_core.recipe import load_recipe
    from lingshu_data.decontaminate import decontaminate as run
    from lingshu_data.settings import DecontaminateSettings

    settings = load_recipe(DecontaminateSettings, None, overrides or ())
    run(paths, against, out, settings, _running(workers, engine, shard, dry_run))


@app.command()
def classify(
    path: Annotated[Path, typer.Argument(help="A manifest folder, or a .jsonl file.")],
    out: _Out,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit a head to labelled pictures instead.")
    ] = False,
    overrides: Overrides = None,
    workers: _Workers = 1,
    engine: _Engine = "local",
    shard: _Shard = "0/1",
    dry_run: _DryRun = False,
) -> None:
    """Find unknown modalities with BiomedCLIP, zero-shot or with a head fitted by `--fit`.

    Example: `lingshu-data classify runs/clean --set head=runs/head --out runs/labelled`
    """
    from lingshu_core.recipe import load_recipe
    from lingshu_data import classify as classification
    from lingshu_data.settings import ClassifySettings

    settings = load_recipe(ClassifySettings, None, overrides or ())
    run = classification.fit_head if fit else classification.classify
    run(path, out, settings, _running(workers, engine, shard, dry_run))


@app.command()
def mix(
    paths: _Inputs,
    out: _Out,
    recipe: _Recipe,
    overrides: Overrides = None,
    workers: _Workers = 1,
    engine: _Engine = "local",
    shard: _Shard = "0/1",
    dry_run: _DryRun = False,
) -> None:
    """Choose and shuffle the records of a training stage.

    Example: `lingshu-data mix runs/safe runs/vqa --recipe lingshu/instruction --out runs/stage-3`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_data.mixture import mix as run
    from lingshu_data.operators.mixture import Settings

    settings = load_recipe(Settings, find_recipe("lingshu_data", recipe), overrides or ())
    run(paths, out, settings, _running(workers, engine, shard, dry_run))


@app.command()
def report(
    paths: Annotated[
        list[Path], typer.Argument(help="Manifests, or folders that hold some: a whole run.")
    ],
    out: _Out,
) -> None:
    """Show the data of a run on one page: flow, distributions, what was left out, overlaps.

    Example: `lingshu-data report runs/nano --out runs/nano/report`
    """
    from lingshu_data.report import report as run

    run(paths, out)


def _running(workers: int, engine: str, shard: str, dry_run: bool) -> "Running":
    from pydantic import ValidationError

    from lingshu_data.settings import Running

    try:
        found = Running(workers=workers, engine=engine, share=shard, dry_run=dry_run)
    except ValidationError:
        raise SettingsError(f"--shard {shard}: write it like 0/4, the first of four") from None
    index, count = found.part
    if index >= count:
        raise SettingsError(f"--shard {shard}: of {count} shares the last is {count - 1}/{count}")
    return found
