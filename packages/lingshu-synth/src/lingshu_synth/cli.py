"""The command `lingshu-synth`."""

from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app

app = new_app(
    "Write captions, questions, reasoning and dialogues, by templates and by models.",
    distribution="lingshu-synth",
)

_Inputs = Annotated[
    list[Path], typer.Argument(metavar="IN…", help="Manifest folders, or .jsonl files.")
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; must not exist.")]
_Recipe = Annotated[str, typer.Option("--recipe", "-r", help="A shipped recipe, or a TOML file.")]
_Endpoint = Annotated[
    str, typer.Option("--endpoint", help="Address of an OpenAI-compatible endpoint.")
]
_Model = Annotated[str, typer.Option("--model", help="Name of the model that is asked.")]
_Prompts = Annotated[str, typer.Option("--prompts", help="Folder with prompts of your own.")]
_Budget = Annotated[
    float | None, typer.Option("--budget", help="US dollars that this command may spend.")
]
_Batch = Annotated[bool, typer.Option("--batch", help="Ask through the Batch API.")]
_Journal = Annotated[
    Path | None,
    typer.Option("--journal", help="Folder of the journal; else `synth-journal` beside --out."),
]
_Replay = Annotated[
    bool, typer.Option("--replay", help="Make no call: take all replies from the journal.")
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be asked and what it costs; ask nothing.")
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
        inputs: _Inputs,
        out: _Out,
        recipe: _Recipe = "",
        endpoint: _Endpoint = "",
        model: _Model = "",
        prompts: _Prompts = "",
        budget: _Budget = None,
        batch: _Batch = False,
        journal: _Journal = None,
        replay: _Replay = False,
        dry_run: _DryRun = False,
        overrides: Overrides = None,
    ) -> None:
        from lingshu_synth.estimate import print_estimate
        from lingshu_synth.loading import Flags, load
        from lingshu_synth.runner import Job, run

        flags = Flags(endpoint, model, prompts, budget, batch)
        settings = load(name, recipe, flags, overrides or ())
        job = Job(name, tuple(inputs), out, settings, journal, replay)
        if dry_run:
            print_estimate(job)
        else:
            run(job)

    app.command(name, help=text)(verb)


for _name, _text in VERBS.items():
    _add(_name, _text)
