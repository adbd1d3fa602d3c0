"""What a run would ask and cost, said before it is run."""

import json
from contextlib import closing

import typer

from lingshu_core.manifest import Manifest
from lingshu_synth.driver import Replies
from lingshu_synth.drivers.dry import Dry, Estimate
from lingshu_synth.journal import NAME, JournalReader
from lingshu_synth.prices import Price, load_prices, price_of
from lingshu_synth.runner import Job, prepare


def estimate(job: Job) -> tuple[Estimate, Price | None]:
    """Returns what a job would ask, less what its journal holds, and the price of its model.

    Raises:
        SettingsError: The settings do not go together.
        DataError: An input or the journal cannot be read.
    """
    reading, generator = prepare(job, [Manifest(path) for path in job.inputs])
    settings = job.settings
    price = price_of(settings.model.name, load_prices(settings.calls.prices))
    path = job.journal_folder / NAME
    if not path.is_file():
        dry = Dry(None, price)
        dry.ask(reading, generator)
        return dry.estimate, price
    with closing(JournalReader(path)) as journal:
        dry = Dry(Replies(journal, settings.calls.ask_again), price)
        dry.ask(reading, generator)
    return dry.estimate, price


def print_estimate(job: Job, *, as_json: bool = False) -> None:
    """Prints what a job would ask and cost."""
    found, price = estimate(job)
    if as_json:
        typer.echo(json.dumps(_machine(found, price), indent=2))
        return
    head = ("stage", "calls", "answered", "prompt tokens", "reply tokens")
    rows = [
        (name, stage.calls, stage.answered, stage.prompt_tokens, stage.reply_tokens)
        for name, stage in found.stages.items()
    ]
    typer.echo(f"{job.name}: {found.records} records, {found.calls()} calls to make")
    for row in (head, *rows) if rows else ():
        name, *cells = (f"{cell:,}" if isinstance(cell, int) else cell for cell in row)
        typer.echo(f"  {name:<16}" + "".join(f"{cell:>16}" for cell in cells))
    if rows:
        typer.echo(_money(found, price, job))


def _money(found: Estimate, price: Price | None, job: Job) -> str:
    if price is None:
        return f"no price is known for {job.settings.model.name!r}: see `--set calls.prices=FILE`"
    usual, most = found.usd(price, batch=False), found.usd(price, batch=False, most=True)
    batch = found.usd(price, batch=True)
    return (
        f"about ${usual:,.2f}, ${most:,.2f} if every reply took all it may; "
        f"as a batch about ${batch:,.2f}"
    )


def _machine(found: Estimate, price: Price | None) -> dict[str, object]:
    told: dict[str, object] = {
        "records": found.records,
        "calls": found.calls(),
        "stages": {name: vars(stage) for name, stage in found.stages.items()},
    }
    if price is not None:
        told["usd"] = found.usd(price, batch=False)
        told["usd_most"] = found.usd(price, batch=False, most=True)
        told["usd_batch"] = found.usd(price, batch=True)
    return told
