"""The command line of lingshu-train."""

from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_train.settings import Shape, Stage

app = new_app("Train Qwen2.5-VL in the three supervised stages of Lingshu.")

_Recipe = Annotated[
    str, typer.Argument(help="A TOML file, or the name of a shipped recipe: `lingshu-7b/deep`.")
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@app.command()
def run(recipe: _Recipe, out: _Out, overrides: Overrides = None) -> None:
    """Run a stage, or go on with it; OUT becomes the checkpoint.

    Example: `lingshu-train run nano/shallow --set mixture=mix --set parent=base --out shallow`
    """
    stage = load_recipe(Stage, find_recipe("lingshu_train", recipe), overrides or ())
    stage.require_paths()
    from lingshu_train.quiet import quieten
    from lingshu_train.runner import run_stage

    quieten()
    run_stage(stage, recipe, out)


@app.command()
def init(
    recipe: _Recipe,
    out: _Out,
    corpus: Annotated[Path, typer.Option(help="Manifest whose texts the vocabulary is made of.")],
    overrides: Overrides = None,
) -> None:
    """Build a small model of the family with random weights and a vocabulary of its own.

    Example: `lingshu-train init nano/model --corpus mix-instruction --out base`
    """
    shape = load_recipe(Shape, find_recipe("lingshu_train", recipe), overrides or ())
    from lingshu_train.initial import init_checkpoint
    from lingshu_train.quiet import quieten

    quieten()
    init_checkpoint(shape, recipe, corpus, out)


if __name__ == "__main__":
    main()
