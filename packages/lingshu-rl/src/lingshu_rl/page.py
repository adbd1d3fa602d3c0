"""The page of a run: curves of reward, divergence, length, and what the rewards said."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from lingshu_core.manifest import Producer
from lingshu_core.page import publish
from lingshu_core.panels import Bars, Facts, Lines, Panel, Series, Stats, Table
from lingshu_rl.logbook import LOG, Journal
from lingshu_rl.settings import TrainingRecipe


def publish_run(out: Path, recipe: TrainingRecipe, producer: Producer) -> dict[str, float]:
    """Writes `stats.json` and the page of a run; returns its final figures."""
    rollouts = Journal(out / LOG / "rollouts.jsonl").read()
    steps = Journal(out / LOG / "steps.jsonl").read()
    times = Journal(out / LOG / "times.jsonl").read()
    heldout = Journal(out / LOG / "heldout.jsonl").read()
    figures = _figures(rollouts, steps)
    if heldout:
        figures["heldout_before"] = round(heldout[0]["accuracy"], 6)
        figures["heldout_after"] = round(heldout[-1]["accuracy"], 6)
    stats = Stats(
        title=f"Reinforcement learning: {recipe.name}",
        summary=_summary(figures),
        package=producer.package,
        version=producer.version,
        command=producer.command,
        seconds=round(sum(sum(v for k, v in line.items() if k != "step") for line in times), 2),
        counts={
            "rollouts": len(rollouts),
            "updates": len(steps),
            "answers": sum(line["groups"] for line in rollouts) * recipe.batch.responses,
            "even_groups": sum(line["even"] for line in rollouts),
        },
        figures=figures,
        panels=(
            Facts(title="In short", facts=dict(figures), wide=True),
            *run_panels(rollouts, steps, heldout),
        ),
    )
    publish(out, stats)
    return figures


def _figures(
    rollouts: Sequence[dict[str, Any]], steps: Sequence[dict[str, Any]]
) -> dict[str, float]:
    rewards = [line["reward"] for line in rollouts if line["reward"] is not None]
    quarter = max(1, len(rewards) // 4)
    figures = {}
    if rewards:
        figures["reward_first_quarter"] = round(fmean(rewards[:quarter]), 6)
        figures["reward_last_quarter"] = round(fmean(rewards[-quarter:]), 6)
    for name in ("kl", "entropy", "loss"):
        values = [line[name] for line in steps if line.get(name) is not None]
        if values:
            figures[name] = round(fmean(values[-quarter:]), 6)
    return figures


def _summary(figures: dict[str, float]) -> str:
    if "reward_first_quarter" not in figures:
        return "No reward could be told."
    return (
        f"The mean reward of the last quarter of rollouts is {figures['reward_last_quarter']:.3f}, "
        f"of the first {figures['reward_first_quarter']:.3f}."
    )


def run_panels(
    rollouts: Sequence[dict[str, Any]],
    steps: Sequence[dict[str, Any]],
    heldout: Sequence[dict[str, Any]] = (),
) -> tuple[Panel, ...]:
    """Returns the curves and tables of a run, from its journals."""
    names = list(rollouts[0]["rewards"]) if rollouts else []
    reward = [
        _series("sum", rollouts, lambda line: line["reward"]),
        *(_series(n, rollouts, lambda line, n=n: line["rewards"][n]) for n in names),
    ]
    return (
        Lines(
            title="Reward",
            note="Mean over the answers of a rollout.",
            x="step",
            y="reward",
            series=tuple(reward),
        ),
        *_heldout(heldout),
        Lines(
            title="Divergence and entropy",
            note="A divergence that runs away or an entropy that falls to nothing is a collapse.",
            x="step",
            y="nats per token",
            series=tuple(
                _series(n, steps, lambda line, n=n: line.get(n)) for n in ("kl", "entropy")
            ),
        ),
        Lines(
            title="Length of answers",
            x="step",
            y="tokens",
            series=(_series("tokens", rollouts, lambda line: line["tokens"]),),
        ),
        Lines(
            title="Shares",
            note="Groups of equal rewards teach nothing; cut answers reached the greatest length.",
            x="step",
            y="share",
            series=(
                _series("even groups", rollouts, lambda line: line["even"] / line["groups"]),
                _series("cut answers", rollouts, lambda line: line["cut"]),
                _series("clipped tokens", steps, lambda line: line.get("clipped")),
            ),
        ),
        _breakdown("Reward by source", rollouts, "by_source"),
        _breakdown("Reward by modality", rollouts, "by_modality"),
        _breakdown("Reward by kind of gold", rollouts, "by_gold"),
        _reasons(rollouts),
    )


def _heldout(lines: Sequence[dict[str, Any]]) -> list[Panel]:
    if not lines:
        return []
    names = sorted(name for name in lines[0]["by_topic"] if name)
    return [
        Lines(
            title="Held-out accuracy",
            note=f"Greedy answers to {lines[0]['n']} questions that training does not see.",
            x="step",
            y="share right",
            series=(
                _series("all", lines, lambda line: line["accuracy"]),
                *(_series(n, lines, lambda line, n=n: line["by_topic"].get(n)) for n in names),
            ),
        )
    ]


def _series(name: str, lines: Sequence[dict[str, Any]], value: Any) -> Series:
    return Series(
        name=name,
        x=tuple(line["step"] for line in lines),
        y=tuple(value(line) for line in lines),
    )


def _breakdown(title: str, rollouts: Sequence[dict[str, Any]], key: str) -> Bars:
    quarter = max(1, len(rollouts) // 4)
    ends = {"first quarter": rollouts[:quarter], "last quarter": rollouts[-quarter:]}
    names = sorted({name for line in rollouts for name in line[key]})
    return Bars(
        title=title,
        y="mean reward",
        series=tuple(
            Series(name=end, x=tuple(names), y=tuple(_mean(lines, key, n) for n in names))
            for end, lines in ends.items()
        ),
    )


def _mean(lines: Sequence[dict[str, Any]], key: str, name: str) -> float | None:
    values = [line[key][name] for line in lines if line[key].get(name) is not None]
    return fmean(values) if values else None


def _reasons(rollouts: Sequence[dict[str, Any]]) -> Table:
    quarter = max(1, len(rollouts) // 4)
    first, last = _count(rollouts[:quarter]), _count(rollouts[-quarter:])
    rows = sorted({*first, *last}, key=lambda n: (-last.get(n, 0) - first.get(n, 0), n))
    return Table(
        title="What the rewards said",
        note="Answers by the rule that decided, in the first and the last quarter of rollouts.",
        columns=("reward", "rule", "first quarter", "last quarter"),
        rows=tuple((*name.split(":", 1), first.get(name, 0), last.get(name, 0)) for name in rows),
    )


def _count(lines: Sequence[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        for name, count in line["reasons"].items():
            found[name] = found.get(name, 0) + count
    return found
