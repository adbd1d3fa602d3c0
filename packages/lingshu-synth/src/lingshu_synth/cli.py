"""The command `lingshu-synth`."""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lingshu_core.console import Overrides, new_app, run_app
from lingshu_core.errors import Stopped

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
_Serve = Annotated[
    str, typer.Option("--serve", help="Start vLLM with this model (and words for it) for the run.")
]
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

_Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes that draw pictures.")]
_Manifest = Annotated[Path, typer.Argument(metavar="MANIFEST", help="What a generator wrote.")]

review = new_app("Show samples to doctors and filter by what they say.")
app.add_typer(review, name="review")

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


_Verb = Annotated[str, typer.Argument(metavar="VERB", help="captions, ocr, vqa, cot, dialogues.")]


def main() -> None:
    """Runs the command line."""
    run_app(app)


@contextmanager
def _goes_on() -> Iterator[None]:
    """Lets whoever is stopped see the command that goes on, without names and passwords in it."""
    try:
        yield
    except Stopped as stop:
        words = (re.sub(r"(?<=://)[^/@\s]*@", "", word) for word in sys.argv[1:])
        raise Stopped(f"{stop}\n  {shlex.join(['lingshu-synth', *words])}") from None


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
        serve: _Serve = "",
        journal: _Journal = None,
        replay: _Replay = False,
        workers: _Workers = 1,
        dry_run: _DryRun = False,
        overrides: Overrides = None,
    ) -> None:
        from lingshu_synth.estimate import print_estimate
        from lingshu_synth.loading import Flags, load
        from lingshu_synth.runner import Job, Ways, run

        named = model or (Path(shlex.split(serve)[0]).name if serve else "")
        flags = Flags(endpoint, named, prompts, budget, batch)
        settings = load(name, recipe, flags, overrides or ())
        job = Job(name, tuple(inputs), out, settings, Ways(journal, replay, serve, workers))
        if dry_run:
            print_estimate(job)
        else:
            with _goes_on():
                run(job)

    app.command(name, help=text)(verb)


for _name, _text in VERBS.items():
    _add(_name, _text)


@app.command()
def estimate(
    name: _Verb,
    inputs: _Inputs,
    recipe: _Recipe = "",
    model: _Model = "",
    prompts: _Prompts = "",
    journal: _Journal = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    overrides: Overrides = None,
) -> None:
    """Say what a run would ask and cost, less what the journal holds already.

    Example: `lingshu-synth estimate captions runs/data --model gpt-4o`
    """
    from lingshu_synth.estimate import print_estimate
    from lingshu_synth.loading import Flags, load
    from lingshu_synth.runner import Job, Ways

    settings = load(name, recipe, Flags(model=model, prompts=prompts), overrides or ())
    job = Job(name, tuple(inputs), Path("out"), settings, Ways(journal))
    print_estimate(job, as_json=as_json)


@app.command()
def prompts(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Print this one.")] = "",
    folder: _Prompts = "",
    copy: Annotated[
        Path | None, typer.Option("--copy", help="Folder to copy all of them to.")
    ] = None,
) -> None:
    """List the prompts with their versions and hashes, print one, or copy them to be changed.

    Example: `lingshu-synth prompts --copy my-prompts`
    """
    from lingshu_synth.catalogue import copy_to, entries
    from lingshu_synth.prompting import prompt

    if copy is not None:
        typer.echo(f"{copy}: {copy_to(copy)} prompts")
        return
    if name:
        typer.echo(prompt(name, folder or None).text)
        return
    for entry in entries(folder or None):
        own = "your own" if entry.own else f"v{entry.version}"
        typer.echo(f"{entry.name:<34}{own:<10}{entry.sha256[:12]}  {entry.source}")


@review.command("export")
def review_export(
    manifest: _Manifest,
    out: _Out,
    count: Annotated[int, typer.Option("-n", min=1, help="Records in the sample.")] = 50,
    seed: Annotated[int, typer.Option(help="What the sample is drawn by.")] = 0,
    journal: _Journal = None,
) -> None:
    """Write a sample as a page, and as tasks for Label Studio and for Argilla.

    Example: `lingshu-synth review export runs/captions --out review -n 100`
    """
    from lingshu_synth.review import export

    size = export(manifest, out, count=count, seed=seed, journal=journal)
    typer.echo(f"{out}: {size} records")


@review.command("verdicts")
def review_verdicts(
    verdicts: Annotated[
        Path, typer.Argument(metavar="FILE", help="What Label Studio or Argilla exported.")
    ],
    of: Annotated[Path, typer.Option("--of", help="The manifest that was reviewed.")],
    out: _Out,
) -> None:
    """Turn exported verdicts into a manifest of scores.

    Example: `lingshu-synth review verdicts export.json --of runs/captions --out runs/verdicts`
    """
    from lingshu_synth.review import read_verdicts

    typer.echo(f"{out}: {read_verdicts(verdicts, of, out)} verdicts")


@review.command("filter")
def review_filter(
    manifest: _Manifest,
    by: Annotated[Path, typer.Option("--by", help="The manifest of scores.")],
    out: _Out,
    reviewed_only: Annotated[
        bool, typer.Option("--reviewed-only", help="Leave out what nobody looked at too.")
    ] = False,
) -> None:
    """Keep the records that reviewers let pass.

    Example: `lingshu-synth review filter runs/captions --by runs/verdicts --out runs/approved`
    """
    from lingshu_synth.review import keep_approved

    counts = keep_approved(manifest, by, out, reviewed_only=reviewed_only)
    typer.echo(
        f"{out}: " + ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in counts.items())
    )
