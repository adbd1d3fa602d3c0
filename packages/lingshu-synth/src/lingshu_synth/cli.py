"""The command `lingshu-synth`."""

from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app

app = new_app("Write captions, questions, reasoning and dialogues, by templates and by models.")

_Inputs = Annotated[
    list[Path], typer.Argument(metavar="IN…", help="Manifest folders, or .jsonl files.")
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; must not exist.")]
_RecipeOption = Annotated[
    str, typer.Option("--recipe", "-r", help="A shipped recipe, or a TOML file.")
]

VERBS = {
    "captions": """Write captions of annotated pictures, by a model or from metadata alone.

    Example: `lingshu-synth captions runs/data --out runs/captions`
    """,
    "ocr": """Render exam questions as pictures, with the reasoning that leads to the answer.

    Example: `lingshu-synth ocr runs/exams --out runs/ocr --endpoint URL --model NAME`
    """,
    "vqa": """Ask questions about pictures: from labels by template, from captions by a model.

    Example: `lingshu-synth vqa runs/data --out runs/vqa --set per_record=4`
    """,
    "cot": """Add reasoning to questions whose answer is known.

    Example: `lingshu-synth cot runs/vqa --out runs/cot --set share=0.25`
    """,
    "dialogues": """Rewrite doctors' answers: kind, no diagnosis, no prescription, no identities.

    Example: `lingshu-synth dialogues runs/talks --out runs/dialogues --endpoint URL --model NAME`
    """,
}


def main() -> None:
    """Runs the command line."""
    run_app(app)


def _add(name: str, text: str) -> None:
    def verb(
        inputs: _Inputs, out: _Out, recipe: _RecipeOption = "", overrides: Overrides = None
    ) -> None:
        from lingshu_synth.loading import load
        from lingshu_synth.runner import run

        run(name, inputs, out, load(name, recipe, overrides or ()))

    app.command(name, help=text)(verb)


for _name, _text in VERBS.items():
    _add(_name, _text)
