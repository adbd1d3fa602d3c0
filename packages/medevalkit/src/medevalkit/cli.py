"""The command line of medevalkit."""

from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app

app = new_app(
    "Evaluate medical multimodal models, and explain every number.",
    distribution="lingshu-medevalkit",
)

_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@app.command()
def run(
    out: _Out,
    model: Annotated[str, typer.Option(help="BACKEND:NAME, as `hf:DIR`, `openai:NAME`.")] = "",
    tasks: Annotated[
        str, typer.Option(help="Benchmarks, suites, `manifest:PATH`, separated by commas.")
    ] = "",
    recipe: Annotated[str, typer.Option(help="A recipe's name, or a TOML file.")] = "",
    overrides: Overrides = None,
) -> None:
    """Ask a model every item of the tasks, score the answers, and write a page.

    Example: `medevalkit run --model hf:runs/nano/instruction --tasks manifest:DIR --out runs/eval`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from medevalkit.run import run as start
    from medevalkit.score import is_scored, score
    from medevalkit.settings import RunSettings

    given = [] if not model else [f"model={model}"]
    given += [] if not tasks else [f"tasks={tasks.split(',')}"]
    source = find_recipe("medevalkit", recipe) if recipe else None
    settings = load_recipe(RunSettings, source, [*given, *(overrides or ())])
    if start(settings, out) or not is_scored(out, settings):
        score(out)


@app.command("score")
def score_again(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.")],
    profile: Annotated[
        list[str] | None, typer.Option(help="`strict`, `official`, `official-2025-06`.")
    ] = None,
) -> None:
    """Score the answers of a run again; loads no model.

    Example: `medevalkit score runs/eval --profile strict --profile official`
    """
    from medevalkit.score import score as start

    start(folder, profile or ())
