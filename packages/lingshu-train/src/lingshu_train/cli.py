"""The command line of lingshu-train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lingshu_core.console import Overrides, new_app, run_app, say
from lingshu_core.errors import DataError
from lingshu_train.launch import Launcher, launch_text

if TYPE_CHECKING:
    # pydantic takes longer to import than `--help` may take.
    from lingshu_train.settings import Stage

app = new_app(
    "Train Qwen2.5-VL in the three supervised stages of Lingshu.", distribution="lingshu-train"
)

_Recipe = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="A TOML file, or the name of a shipped recipe: lingshu-7b/deep."
    ),
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]
_Devices = Annotated[int | None, typer.Option(help="Devices, on all machines together.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@app.command()
def run(
    recipe: _Recipe,
    out: _Out,
    overrides: Overrides = None,
    launch: Annotated[
        Launcher | None, typer.Option(help="Print how to start it on several devices.")
    ] = None,
    devices: Annotated[int, typer.Option(help="With --launch: devices of a machine.")] = 8,
    nodes: Annotated[int, typer.Option(help="With --launch: machines.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and take no step.")
    ] = False,
) -> None:
    """Run a stage, or go on with it; OUT becomes the checkpoint.

    Example: `lingshu-train run nano/shallow --set mixture=mix --set parent=base --out shallow`
    """
    stage = _stage(recipe, overrides)
    if launch:
        sets = [word for pair in overrides or () for word in ("--set", pair)]
        arguments = ["run", recipe, *sets, "--out", str(out)]
        name = f"lingshu-{stage.stage}"
        typer.echo(launch_text(launch, arguments, devices=devices, nodes=nodes, name=name))
        return
    if dry_run:
        _estimate(stage, recipe, None, None)
        return
    from lingshu_train.runner import run_stage
    from lingshu_train.world import joined

    _quieten()
    with joined() as world:
        run_stage(stage, recipe, out, world)


@app.command()
def init(
    recipe: _Recipe,
    out: _Out,
    corpus: Annotated[Path, typer.Option(help="Manifest whose texts the vocabulary is made of.")],
    overrides: Overrides = None,
) -> None:
    """Build a model of the family with random weights and a vocabulary of its own.

    Example: `lingshu-train init nano/model --corpus mix-instruction --out base`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_train.settings import Shape

    shape = load_recipe(Shape, find_recipe("lingshu_train", recipe), overrides or ())
    from lingshu_train.initial import init_checkpoint

    _quieten()
    init_checkpoint(shape, recipe, corpus, out)


@app.command()
def check(recipe: _Recipe, overrides: Overrides = None) -> None:
    """Prove on your own model and data that a stage will be right.

    Example: `lingshu-train check lingshu-7b/instruction --set mixture=mix --set parent=deep`
    """
    stage = _stage(recipe, overrides)
    from lingshu_train.checks import run_checks
    from lingshu_train.runner import open_sources
    from lingshu_train.world import joined

    _quieten()
    wrong = 0
    with joined() as world:
        for result in run_checks(open_sources(stage, recipe, Path(), world), world):
            wrong += not result.passed
            typer.echo(f"{'ok  ' if result.passed else 'FAIL'}  {result.name}: {result.found}")
    if wrong:
        raise DataError(f"{wrong} checks failed")


@app.command()
def estimate(
    recipe: _Recipe,
    overrides: Overrides = None,
    devices: _Devices = None,
    device: Annotated[
        str | None, typer.Option(help="What kind: h100, a100, …; this machine's where left out.")
    ] = None,
) -> None:
    """Say what a stage takes before anything starts: memory, steps, tokens, hours.

    Example: `lingshu-train estimate lingshu-7b/deep --devices 64 --device h200`
    """
    _estimate(_stage(recipe, overrides), recipe, devices, device)


@app.command("show-batch")
def show_batch(
    recipe: _Recipe,
    overrides: Overrides = None,
    step: Annotated[int, typer.Option(help="Which optimizer step, from 1.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write a page too.")] = None,
) -> None:
    """Show what the model sees of a step, and which tokens it learns, in colours.

    Example: `lingshu-train show-batch nano/deep --set mixture=mix --set parent=base --step 3`
    """
    stage = _stage(recipe, overrides)
    from lingshu_train.runner import open_sources, rows_of_step
    from lingshu_train.show import print_rows, publish_rows, show_rows
    from lingshu_train.world import joined

    _quieten()
    with joined() as world:
        sources = open_sources(stage, recipe, out or Path(), world)
        shown = show_rows(rows_of_step(sources, world, step), sources)
    print_rows(shown)
    if out is not None:
        publish_rows(shown, sources, step, out)
        say(f"page: {out / 'index.html'}")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    out: _Out,
    step: Annotated[int | None, typer.Option(help="One of the kept steps; else the last.")] = None,
    dtype: Annotated[
        Literal["float32", "bfloat16"] | None, typer.Option(help="Of the weights.")
    ] = None,
) -> None:
    """Write a checkpoint out of what a run keeps to go on from.

    Example: `lingshu-train export runs/deep --step 500 --out deep-500`
    """
    from lingshu_train.export import export as write

    _quieten()
    write(run, out, step=step, dtype=dtype)


@app.command()
def ablate(
    recipe: _Recipe,
    out: _Out,
    without: Annotated[
        list[str],
        typer.Option(
            help="A kind of data to leave out: medical-multimodal, general-multimodal, "
            "medical-text, general-text, medical-caption, synthetic-multimodal, "
            "medical-cot-text, alignment. Can be repeated."
        ),
    ],
    overrides: Overrides = None,
) -> None:
    """Run a stage whole and without kinds of data, and compare (the paper's Table 10).

    Example: `lingshu-train ablate nano/instruction --without medical-text --set mixture=mix`
    --set parent=deep --set heldout=questions --out ablation
    """
    stage = _stage(recipe, overrides)
    from lingshu_train.studies import ablate as study
    from lingshu_train.world import joined

    _quieten()
    with joined() as world:
        study(stage, recipe, without, out, world)


@app.command()
def scale(
    recipe: _Recipe,
    out: _Out,
    shares: Annotated[str, typer.Option(help="Percentages of the mixture.")] = "25,50,75,100",
    overrides: Overrides = None,
) -> None:
    """Run a stage on growing shares of its mixture, and compare (the paper's Figure 10).

    Example: `lingshu-train scale nano/instruction --set mixture=mix --set parent=deep`
    --set heldout=questions --out scaling
    """
    try:
        percentages = [int(share) for share in shares.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{shares!r} is no list of percentages") from None
    stage = _stage(recipe, overrides)
    from lingshu_train.studies import scale as study
    from lingshu_train.world import joined

    _quieten()
    with joined() as world:
        study(stage, recipe, percentages, out, world)


def _stage(recipe: str, overrides: list[str] | None) -> "Stage":
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_train.settings import Stage

    return load_recipe(Stage, find_recipe("lingshu_train", recipe), overrides or ())


def _estimate(stage: "Stage", recipe: str, devices: int | None, device: str | None) -> None:
    from lingshu_train.estimate import estimate_stage, report

    _quieten()
    typer.echo(report(estimate_stage(stage, devices=devices, device=device), recipe))


def _quieten() -> None:
    from lingshu_train.quiet import quieten

    quieten()


if __name__ == "__main__":
    main()
