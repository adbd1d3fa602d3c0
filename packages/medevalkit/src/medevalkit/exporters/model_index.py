"""`model-index.yaml`: the part of a model card that holds its results on the Hugging Face hub."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.files import write_atomic
from medevalkit.exporter import Export, Exporter
from medevalkit.extras import needed
from medevalkit.folder import TaskState

_TYPES = {
    "multimodal": "visual-question-answering",
    "text": "question-answering",
    "report": "image-to-text",
}


def _write(export: Export, out: Path) -> list[Path]:
    hub, yaml = needed("huggingface_hub", extra="hub"), needed("yaml", extra="hub")
    cards = needed("huggingface_hub.repocard_data", extra="hub")
    results = [
        hub.EvalResult(**common, **measured)
        for task in export.state.tasks
        for common in [_common(export, task)]
        for measured in _measured(export, task)
    ]
    found = {"model-index": cards.eval_results_to_model_index(export.state.model, results)}
    out.mkdir(parents=True, exist_ok=True)
    path = out / "model-index.yaml"
    write_atomic(path, yaml.safe_dump(found, sort_keys=False, allow_unicode=True))
    return [path]


def _common(export: Export, task: TaskState) -> dict[str, Any]:
    benchmark = task.card()
    if benchmark is None:
        return {
            "task_type": "question-answering",
            "dataset_type": task.name,
            "dataset_name": task.name,
        }
    card = benchmark.card
    return {
        "task_type": _TYPES[card.kind],
        "dataset_type": card.source,
        "dataset_name": card.title,
        "dataset_split": card.split,
        "dataset_revision": card.revision,
    }


def _measured(export: Export, task: TaskState) -> Iterator[dict[str, Any]]:
    row = export.whole(task.name)
    if row.accuracy is not None:
        yield {
            "metric_type": "accuracy",
            "metric_value": row.accuracy,
            "metric_name": f"accuracy ({export.profile})",
        }
    for name, metric in row.metrics.items():
        yield {
            "metric_type": name,
            "metric_value": metric.mean,
            "metric_name": f"{name} ({export.profile})",
        }


EXPORTER = Exporter("model-index of a model card on the Hugging Face hub", _write)
