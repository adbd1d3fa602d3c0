"""The command `lingshu-rl`: verifiable questions, GRPO, and the answers to look at."""

from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app

app = new_app("Curate verifiable questions, train on them by GRPO, look at every answer.")

_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, say the plan, stop.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@app.command()
def curate(
    inputs: Annotated[list[Path], typer.Argument(help="Manifests that hold questions.")],
    out: _Out,
    recipe: Annotated[str, typer.Option(help="Name of a shipped recipe, or a TOML file.")],
    overrides: Overrides = None,
) -> None:
    """Turn questions into a set that a reward by rule can verify.

    Example: `lingshu-rl curate vqa --recipe curate-nano --out verifiable`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_rl.curation import curate as run_curation
    from lingshu_rl.settings import CurationRecipe

    settings = load_recipe(CurationRecipe, find_recipe("lingshu_rl", recipe), overrides or ())
    run_curation(settings, inputs, out)


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or a TOML file.")],
    out: _Out,
    overrides: Overrides = None,
    dry_run: _DryRun = False,
) -> None:
    """Train a checkpoint by GRPO; given again, go on where it was stopped.

    On several devices: `torchrun --nproc_per_node 8 -m lingshu_rl run …`

    Example: `lingshu-rl run nano --set prompts=verifiable --set parent=instruction --out rl`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_rl.settings import TrainingRecipe
    from lingshu_rl.training import train

    settings = load_recipe(TrainingRecipe, find_recipe("lingshu_rl", recipe), overrides or ())
    train(settings, out, dry_run=dry_run)


@app.command()
def rollouts(
    run: Annotated[Path, typer.Argument(help="Folder of `lingshu-rl run`, finished or running.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the page [RUN/log/page].")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="The questions, where they are no longer where they were.")
    ] = None,
) -> None:
    """Write the page of a run: curves, and every prompt with its pictures and answers.

    Example: `lingshu-rl rollouts rl --out rl-page`
    """
    from lingshu_rl.viewer import write_viewer

    write_viewer(run, out or run / "log" / "page", prompts)
