"""Logs of inspect-ai, one `.eval` file a task; `inspect view` opens the folder."""

from pathlib import Path
from typing import Any

from lingshu_core.digest import digest
from lingshu_core.records import Prediction, Question, RecordBase, Score
from medevalkit.exporter import Export, Exporter, asked, file_name, gold, stamp
from medevalkit.extras import needed
from medevalkit.folder import TaskState

_VALUES = {"right": "C", "wrong": "I"}
_NO_ANSWER = "N"
_STOPS = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter"}


def _write(export: Export, out: Path) -> list[Path]:
    log = needed("inspect_ai.log", extra="inspect")
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for task, answers in export.tasks():
        samples = [_sample(export, task, *answer) for answer in answers]
        path = out / f"{stamp(export.created)}_{file_name(task.name)}.eval"
        side = out / f".{path.stem}.partial.eval"
        log.write_eval_log(_log(log, export, task, samples), str(side))
        side.replace(path)
        files.append(path)
    return files


def _log(log: Any, export: Export, task: TaskState, samples: list[Any]) -> Any:
    name = {"run": export.state.fingerprint, "task": task.digest, "profile": export.profile}
    benchmark = task.card()
    return log.EvalLog(
        status="success",
        eval=log.EvalSpec(
            eval_id=digest({**name, "of": "eval"})[:22],
            run_id=digest({**name, "of": "run"})[:22],
            task_id=digest({**name, "of": "task"})[:22],
            created=export.created,
            task=task.name,
            dataset=log.EvalDataset(
                name=benchmark.card.source if benchmark else task.name, samples=len(samples)
            ),
            model=_model(export),
            config=log.EvalConfig(epochs=export.settings.replicas),
            packages=dict(export.state.versions),
            metadata={"protocol": export.settings.protocol, "profile": export.profile},
        ),
        results=_results(log, export, task, len(samples)),
        samples=samples,
    )


def _model(export: Export) -> str:
    # The viewer wants PROVIDER/NAME.
    return export.state.model.replace(":", "/", 1)


def _results(log: Any, export: Export, task: TaskState, count: int) -> Any:
    row = export.whole(task.name)
    values = {name: metric.mean for name, metric in row.metrics.items()}
    values |= {"unparsed": row.unparsed, "unanswered": row.unanswered, "unjudged": row.unjudged}
    if row.accuracy is not None:
        values = {"accuracy": row.accuracy, **values}
    metrics = {name: log.EvalMetric(name=name, value=value) for name, value in values.items()}
    score = log.EvalScore(name=export.profile, scorer=export.profile, metrics=metrics)
    return log.EvalResults(total_samples=count, completed_samples=count, scores=[score])


def _sample(
    export: Export, task: TaskState, record: RecordBase, prediction: Prediction, score: Score
) -> Any:
    log, model = (
        needed("inspect_ai.log", extra="inspect"),
        needed("inspect_ai.model", extra="inspect"),
    )
    output = model.ModelOutput.from_content(
        _model(export),
        prediction.response,
        stop_reason=_STOPS.get(prediction.finish_reason, "unknown"),
        error=prediction.error,
    )
    if prediction.prompt_tokens is not None and prediction.completion_tokens is not None:
        output.usage = model.ModelUsage(
            input_tokens=prediction.prompt_tokens,
            output_tokens=prediction.completion_tokens,
            total_tokens=prediction.prompt_tokens + prediction.completion_tokens,
        )
    options = record.options if isinstance(record, Question) else ()
    return log.EvalSample(
        id=record.id,
        epoch=prediction.replica + 1,
        input=asked(record),
        choices=[option.text for option in options] or None,
        target=gold(record),
        messages=[
            model.ChatMessageUser(content=export.prompt(task, record)),
            model.ChatMessageAssistant(content=prediction.response),
        ],
        output=output,
        scores={export.profile: _score(score)},
        metadata={"modality": record.modality.value, **record.tags},
        total_time=prediction.latency,
    )


def _score(score: Score) -> Any:
    judges = [f"{one.model}: {one.verdict}\n{one.raw}" for one in score.judgements]
    return needed("inspect_ai.scorer", extra="inspect").Score(
        value=_VALUES.get(score.verdict, _NO_ANSWER) if score.verdict else score.metrics,
        answer=score.parsed,
        explanation="\n\n".join(judges),
        metadata={"verdict": score.verdict, **score.metrics},
    )


EXPORTER = Exporter(".eval logs of inspect-ai, one a task", _write)
