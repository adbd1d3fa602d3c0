"""`medevalkit run --dry-run`: what would be asked."""

from collections import Counter
from pathlib import Path

from lingshu_core.records import RecordBase
from medevalkit.backend import BACKENDS, split_model
from medevalkit.benchmark import BENCHMARKS, Benchmark
from medevalkit.items import kind_of, selected
from medevalkit.places import data_folder
from medevalkit.protocol import render
from medevalkit.settings import RunSettings
from medevalkit.task import resolve


def preview(settings: RunSettings, data: Path | None) -> str:
    """Returns how many items each task has and the first prompt of each of its kinds.

    Raises:
        SettingsError: A backend or a task is unknown.
    """
    backend, _ = split_model(settings.model)
    lines = [f"{settings.shown()}: {BACKENDS.get(backend).describe}"]
    for task in resolve(settings.tasks, data_folder(data)):
        benchmark = BENCHMARKS.get(task.benchmark) if task.benchmark else None
        counts: Counter[str] = Counter()
        first: dict[str, RecordBase] = {}
        for record in selected(
            task.manifest, settings.limit, settings.shard, circular=settings.circular
        ):
            counts[kind_of(record)] += settings.replicas
            first.setdefault(kind_of(record), record)
        asked = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        lines.append(f"\n{task.name}: {asked or 'nothing that can be asked'}")
        for kind, record in first.items():
            lines.append(f"--- the first {kind}: {record.id}")
            lines.append(_shown(settings, record, benchmark))
    return "\n".join(lines)


def _shown(settings: RunSettings, record: RecordBase, benchmark: Benchmark | None) -> str:
    messages = render(settings.protocol, record, benchmark)
    return "\n".join(
        f"[{message.role}] "
        + "".join(
            f"<{piece.image.path}>" if piece.image else piece.text or ""
            for piece in message.content
        )
        for message in messages
    )
