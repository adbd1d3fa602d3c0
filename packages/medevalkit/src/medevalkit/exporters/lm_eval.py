"""lm-evaluation-harness: `MODEL/results_TIME.json` and `MODEL/samples_TASK_TIME.jsonl`.

The profile stands where the harness names its filter: `acc,strict`.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.files import write_atomic
from lingshu_core.records import Prediction, Question, RecordBase, Report, Score
from medevalkit.exporter import Export, Exporter, asked, file_name, gold, stamp
from medevalkit.folder import TaskState
from medevalkit.rows import Row
from medevalkit.statistics import Z

_DIGITS = 6


def _write(export: Export, out: Path) -> list[Path]:
    folder, time = out / file_name(export.state.model), stamp(export.created)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {task.name: export.whole(task.name) for task in export.state.tasks}
    results = folder / f"results_{time}.json"
    write_atomic(results, json.dumps(_results(export, rows), ensure_ascii=False, indent=2) + "\n")
    files = [results]
    for task, answers in export.tasks():
        path = folder / f"samples_{file_name(task.name)}_{time}.jsonl"
        lines = (
            json.dumps(_sample(export, task, number, *answer), ensure_ascii=False) + "\n"
            for number, answer in enumerate(answers)
        )
        _stream(path, lines)
        files.append(path)
    return files


def _stream(path: Path, lines: Iterator[str]) -> None:
    side = path.with_name(f".{path.name}.partial")
    with side.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    side.replace(path)


def _results(export: Export, rows: dict[str, Row]) -> dict[str, Any]:
    settings = export.settings
    backend, _, name = settings.model.partition(":")
    return {
        "results": {task: _measures(export.profile, task, row) for task, row in rows.items()},
        "group_subtasks": {task: [] for task in rows},
        "configs": {task.name: _config(export, task) for task in export.state.tasks},
        "versions": {task.name: _version(task) for task in export.state.tasks},
        "n-shot": dict.fromkeys(rows, 0),
        "higher_is_better": {task: {"acc": True} for task in rows},
        "n-samples": {task: {"original": row.n, "effective": row.n} for task, row in rows.items()},
        "config": {
            "model": backend,
            "model_args": f"pretrained={Path(name).name}",
            "random_seed": settings.sampling.seed,
            "gen_kwargs": _generation(export),
            "limit": settings.limit,
        },
        "model_source": backend,
        "model_name": export.state.model,
        "model_name_sanitized": file_name(export.state.model),
        "date": export.created,
        "medevalkit": dict(export.state.versions),
    }


def _measures(profile: str, task: str, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {"alias": task}
    measures = {name: (m.mean, m.low, m.high) for name, m in row.metrics.items()}
    if row.accuracy is not None and row.low is not None and row.high is not None:
        measures = {"acc": (row.accuracy, row.low, row.high), **measures}
    for name, (value, low, high) in measures.items():
        found[f"{name},{profile}"] = value
        found[f"{name}_stderr,{profile}"] = round((high - low) / (2 * Z), _DIGITS)
    found |= {
        f"{name},{profile}": getattr(row, name) for name in ("unparsed", "unanswered", "unjudged")
    }
    return found


def _config(export: Export, task: TaskState) -> dict[str, Any]:
    benchmark = task.card()
    return {
        "task": task.name,
        "dataset_path": benchmark.card.source if benchmark else task.name,
        "test_split": benchmark.card.split if benchmark else None,
        "output_type": "generate_until",
        "num_fewshot": 0,
        "generation_kwargs": _generation(export),
        "filter_list": [{"name": export.profile}],
        "metadata": {"protocol": export.settings.protocol},
    }


def _version(task: TaskState) -> str:
    benchmark = task.card()
    return (benchmark.card.revision if benchmark else None) or task.digest


def _generation(export: Export) -> dict[str, Any]:
    sampling = export.settings.sampling
    return {
        "max_gen_toks": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "do_sample": sampling.temperature > 0,
        "until": list(sampling.stop),
    }


def _sample(
    export: Export, task: TaskState, number: int, record: RecordBase, *said: Any
) -> dict[str, Any]:
    prediction: Prediction
    score: Score
    prediction, score = said
    doc, prompt, target = _doc(record), export.prompt(task, record), gold(record)
    found: dict[str, Any] = {
        "doc_id": number,
        "doc": doc,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": _generation(export)}},
        "resps": [[prediction.response]],
        "filtered_resps": [score.parsed if score.parsed is not None else ""],
        "filter": export.profile,
        "metrics": [*(["acc"] if score.verdict else []), *score.metrics],
        "doc_hash": _sha(json.dumps(doc, ensure_ascii=False)),
        "prompt_hash": _sha(prompt),
        "target_hash": _sha(target),
        "verdict": score.verdict,
        "finish_reason": prediction.finish_reason,
        "error": prediction.error,
        **score.metrics,
    }
    if score.verdict:
        found["acc"] = float(score.verdict == "right")
    return found


def _doc(record: RecordBase) -> dict[str, Any]:
    found: dict[str, Any] = {"id": record.id, "question": asked(record)}
    if isinstance(record, Question):
        found |= {"answer": record.answer, "answer_kind": record.answer_kind}
        if record.options:
            found["choices"] = [option.text for option in record.options]
    elif isinstance(record, Report):
        found |= {"findings": record.findings, "impression": record.impression}
    return {
        **found,
        "language": record.language,
        "images": [image.path for image in record.images],
        "tags": record.tags,
    }


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


EXPORTER = Exporter("results_*.json and samples_*.jsonl of lm-evaluation-harness", _write)
