"""The command line of medevalkit."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lingshu_core.console import Overrides, new_app, run_app

app = new_app(
    "Evaluate medical multimodal models, and explain every number.",
    distribution="lingshu-medevalkit",
)

_Data = Annotated[
    Path | None,
    typer.Option(envvar="MEDEVALKIT_DATA", help="Where prepared benchmarks lie."),
]
_Form = Annotated[
    Literal["text", "markdown", "latex", "csv"],
    typer.Option("--format", help="How the tables are written."),
]
_Breakdowns = Annotated[
    bool, typer.Option("--breakdowns", help="Divide by modality, language and tags as well.")
]
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
    data: _Data = None,
    shard: Annotated[
        str, typer.Option(help="`i/n`: only every n-th item, from the i-th; see `merge`.")
    ] = "",
    ray: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Divide the run on this Ray cluster; `auto`, or `local`."
        ),
    ] = "",
    parts: Annotated[
        int | None,
        typer.Option(min=1, help="With --ray: how many; one an engine or machine if left out."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Ask a model every item of the tasks, score the answers, and write a page.

    Example: `medevalkit run --model hf:runs/nano/instruction --tasks manifest:DIR --out runs/eval`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from medevalkit.preview import preview
    from medevalkit.run import run as start
    from medevalkit.score import is_scored, score
    from medevalkit.settings import RunSettings

    given = [] if not model else [f"model={model}"]
    given += [] if not tasks else [f"tasks={tasks.split(',')}"]
    given += [] if not shard else [f"shard=[{shard.replace('/', ',')}]"]
    source = find_recipe("medevalkit", recipe) if recipe else None
    settings = load_recipe(RunSettings, source, [*given, *(overrides or ())])
    if dry_run:
        typer.echo(preview(settings, data))
        return
    if ray:
        from medevalkit.cluster import run_on_ray

        asked = run_on_ray(settings, out, ray, parts=parts, data=data)
    else:
        asked = start(settings, out, data=data)
    if asked or not is_scored(out, settings):
        score(out)


@app.command()
def tasks(
    name: Annotated[str, typer.Argument(help="A benchmark; all of them if left out.")] = "",
    data: _Data = None,
) -> None:
    """List the benchmarks and suites, or print the card of one.

    Example: `medevalkit tasks vqa-rad`
    """
    from medevalkit.cards import card_text, list_text
    from medevalkit.places import data_folder

    typer.echo(card_text(name) if name else list_text(data_folder(data)))


@app.command()
def prepare(
    name: Annotated[str, typer.Argument(help="A benchmark.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Its publisher's files; the hub if left out."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The manifest; DATA/NAME if left out.")
    ] = None,
    data: _Data = None,
    blind: Annotated[bool, typer.Option("--blind", help="Leave the pictures out.")] = False,
) -> None:
    """Make a benchmark's manifest and compare its counts with the card.

    Example: `medevalkit prepare vqa-rad --from downloads/vqa-rad --data data`
    """
    from medevalkit.places import data_folder
    from medevalkit.prepare import prepare as start

    name = name.replace("_", "-")
    place = start(name, out or data_folder(data) / name, folder=source, blind=blind)
    typer.echo(f"{place}")


@app.command()
def merge(
    shards: Annotated[list[Path], typer.Argument(help="Folders of the finished shards.")],
    out: _Out,
) -> None:
    """Put the shards of one run together and score the whole; loads no model.

    Example: `medevalkit merge runs/shard-0 runs/shard-1 --out runs/whole`
    """
    from medevalkit.merge import merge as start
    from medevalkit.score import score

    start(shards, out)
    score(out)


@app.command("score")
def score_again(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.")],
    profile: Annotated[
        list[str] | None, typer.Option(help="`strict`, `official`, `official-2025-06`.")
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option(help="Count only this judge; can be repeated.")
    ] = None,
    explain: Annotated[
        str, typer.Option(metavar="ID", help="Show what each profile did with one item.")
    ] = "",
    form: _Form = "text",
    breakdowns: _Breakdowns = False,
) -> None:
    """Score the answers of a run again and print its tables; loads no model.

    Example: `medevalkit score runs/eval --profile strict --profile official`
    """
    if explain:
        from medevalkit.explain import explain as shown
        from medevalkit.profile import PROFILES

        typer.echo(shown(folder, explain, profile or PROFILES.names()))
        return
    from medevalkit.score import score as start
    from medevalkit.tables import grids, written

    scores = start(folder, profile or (), judge or ())
    typer.echo(written(grids([scores], breakdowns=breakdowns), form))


@app.command()
def table(
    folders: Annotated[list[Path], typer.Argument(help="Folders of scored runs.")],
    form: _Form = "text",
    breakdowns: _Breakdowns = False,
) -> None:
    """Print the tables of scored runs side by side.

    Example: `medevalkit table runs/a runs/b --format latex`
    """
    from medevalkit.scores import read_scores
    from medevalkit.tables import grids, written

    typer.echo(written(grids(list(map(read_scores, folders)), breakdowns=breakdowns), form))


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders of scored runs.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the page; `report` in the first run's."),
    ] = None,
) -> None:
    """Write a page of scored runs: tables, charts, breakdowns, every item with its answers.

    Example: `medevalkit report runs/before runs/after --out pages/change`
    """
    from medevalkit.page.report import write_report

    write_report(folders, out or folders[0] / "report")


@app.command("import")
def import_predictions(
    path: Annotated[Path, typer.Argument(help="A file of another kit.")],
    form: Annotated[
        str,
        typer.Option("--from", help="`official`, `lm-eval`, `vlmevalkit`, `jsonl`."),
    ],
    task: Annotated[str, typer.Option(help="What the task is called; a benchmark's name or any.")],
    model: Annotated[str, typer.Option(help="What tables call the model.")],
    out: _Out,
    items: Annotated[
        Path | None,
        typer.Option(help="Manifest of the items, as `prepare` writes it: pictures and tags."),
    ] = None,
    form_of_tables: _Form = "text",
) -> None:
    """Make a run of predictions that another kit wrote, and score it.

    Example: `medevalkit import results.json --from official --task vqa-rad --model old -o runs/old`
    """
    from medevalkit.importing import Import, import_run
    from medevalkit.score import score
    from medevalkit.tables import grids, written

    import_run(Import(path, form, task, model, items), out)
    typer.echo(written(grids([score(out)]), form_of_tables))


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a scored run.")],
    form: Annotated[
        str,
        typer.Option("--to", help="`lm-eval`, `inspect-ai`, `eval-results`, `model-index`."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")],
    profile: Annotated[str, typer.Option(help="Whose verdicts are written.")] = "strict",
) -> None:
    """Write a scored run as other people's viewers read it.

    Example: `medevalkit export runs/eval --to lm-eval --out exports`
    """
    from medevalkit.exporter import EXPORTERS, Export

    for path in EXPORTERS.get(form).write(Export(folder, profile.replace("_", "-")), out):
        typer.echo(f"{path}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a scored run.")],
    second: Annotated[Path, typer.Argument(help="Folder of another run on the same items.")],
    profile: Annotated[str, typer.Option(help="Whose verdicts are compared.")] = "strict",
    form: Annotated[
        Literal["text", "markdown", "latex", "csv", "json"],
        typer.Option("--format", help="How it is written; JSON has every changed answer."),
    ] = "text",
    items: Annotated[int, typer.Option(help="How many changed answers are listed.")] = 20,
) -> None:
    """Compare two runs item by item: difference, interval, test, and what changed.

    Example: `medevalkit compare runs/before runs/after`
    """
    from medevalkit.comparing import compare as start
    from medevalkit.comparing import comparison_grids
    from medevalkit.tables import written

    found = start(first, second, profile)
    if form == "json":
        typer.echo(found.model_dump_json(indent=1))
    else:
        typer.echo(written(comparison_grids(found, most=items), form))


@app.command()
def judge(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, under way or ended.")],
    model: Annotated[str, typer.Option(help="What the endpoint calls the judge.")],
    protocol: Annotated[str, typer.Option(help="`paper` or `rubric`.")] = "paper",
    recipe: Annotated[str, typer.Option(help="A TOML file with the judge's settings.")] = "",
    wait: Annotated[
        bool, typer.Option(help="Go on as long as another process asks in the folder.")
    ] = True,
    overrides: Overrides = None,
) -> None:
    """Ask a judge about the open answers of a run, then score it; closed answers are not judged.

    Example: `medevalkit judge runs/eval --model gpt-4.1 -s endpoint.base_url=https://HOST/v1`
    """
    from lingshu_core.recipe import find_recipe, load_recipe
    from medevalkit.judge import judge as start
    from medevalkit.score import score
    from medevalkit.settings import JudgeSettings
    from medevalkit.tables import grids, written

    given = [f"model={model}", f"protocol={protocol}", *(overrides or ())]
    source = find_recipe("medevalkit", recipe) if recipe else None
    start(folder, load_recipe(JudgeSettings, source, given), wait=wait)
    typer.echo(written(grids([score(folder)]), "text"))


@app.command()
def measure(
    folder: Annotated[Path, typer.Argument(help="Folder of a run with reports.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="`bertscore`, `green`, …; those whose weights are given, or all, if left out."
        ),
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Measure reports by the metrics that need a model, keep the values, then score the run.

    Example: `medevalkit measure runs/eval --metric bertscore -s weights.bertscore=models/distil`
    """
    from lingshu_core.recipe import load_recipe
    from medevalkit.measure import measure as start
    from medevalkit.score import score
    from medevalkit.settings import ReportSettings
    from medevalkit.tables import grids, written

    start(folder, metric or (), load_recipe(ReportSettings, None, overrides or ()))
    typer.echo(written(grids([score(folder)]), "text"))


@app.command()
def grade(
    kind: Annotated[str, typer.Option(help="`choice`, `yesno`, `closed` or `open`.")],
    profile: Annotated[
        str, typer.Option(help="`strict`, `official`, `official-2025-06`.")
    ] = "strict",
) -> None:
    """Grade rows from standard input, JSON lines with choices, gold and response.

    Example: `medevalkit grade --kind choice < rows.jsonl > graded.jsonl`
    """
    import sys

    from medevalkit.grade import grade_lines

    fine = True
    for line, good in grade_lines(sys.stdin, kind, profile):
        fine &= good
        typer.echo(line)
    if not fine:
        raise typer.Exit(3)
