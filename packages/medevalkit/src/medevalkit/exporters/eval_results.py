"""`.eval_results/TASK.yaml` of a model on the Hugging Face hub, one file a benchmark.

Only benchmarks that are datasets on the hub have a place there; the value is a share in percent.
"""

from pathlib import Path

from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.files import write_atomic
from medevalkit.exporter import Export, Exporter, file_name
from medevalkit.extras import needed
from medevalkit.rows import Row

FOLDER = ".eval_results"


def _write(export: Export, out: Path) -> list[Path]:
    hub, yaml = needed("huggingface_hub", extra="hub"), needed("yaml", extra="hub")
    files = []
    for task in export.state.tasks:
        benchmark, row = task.card(), export.whole(task.name)
        if benchmark is None or not benchmark.files or row.accuracy is None:
            say(f"{task.name}: is no dataset on the hub with a share of right answers: left out")
            continue
        entry = hub.EvalResultEntry(
            dataset_id=benchmark.card.source,
            task_id="default",
            value=round(100 * row.accuracy, 2),
            dataset_revision=benchmark.card.revision,
            date=export.created,
            notes=_notes(export, row),
        )
        path = out / FOLDER / f"{file_name(task.name)}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = hub.eval_result_entries_to_yaml([entry])
        write_atomic(path, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
        files.append(path)
    if not files:
        raise SettingsError(f"{export.folder} has no task that the hub could show")
    return files


def _notes(export: Export, row: Row) -> str:
    assert row.low is not None and row.high is not None
    return (
        f"lingshu-medevalkit, profile {export.profile}, protocol {export.settings.protocol}, "
        f"{row.n} items, 95 % {100 * row.low:.1f} to {100 * row.high:.1f}, "
        f"unparsed {100 * row.unparsed:.1f} %"
    )


EXPORTER = Exporter(".eval_results/*.yaml of a model on the Hugging Face hub", _write)
