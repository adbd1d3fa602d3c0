"""Lines for people and for the journals, at every optimizer step."""

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from lingshu_core.console import say
from lingshu_rl.logbook import Journal
from lingshu_rl.plan import Plan
from lingshu_rl.report import RolloutReport
from lingshu_rl.trainer import prune

_KEPT = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "kl": "kl",
    "entropy": "entropy",
    "clip_ratio/low_mean": "clipped_low",
    "clip_ratio/high_mean": "clipped_high",
    "clip_ratio/region_mean": "clipped",
    "completions/mean_length": "tokens",
    "completions/clipped_ratio": "cut",
    "sampling/sampling_logp_difference/mean": "gap_mean",
    "sampling/sampling_logp_difference/max": "gap_max",
    "sampling/importance_sampling_ratio/mean": "correction_mean",
}


class Progress(TrainerCallback):
    """Writes each step down and says now and then how far the run is."""

    def __init__(self, steps: Journal, report: RolloutReport, plan: Plan, *, keep: int) -> None:
        self._steps, self._report, self._plan, self._keep = steps, report, plan, keep

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Writes the figures of a step."""
        logs = kwargs["logs"]
        if not state.is_world_process_zero or "loss" not in logs:
            return
        line = {ours: _round(logs[theirs]) for theirs, ours in _KEPT.items() if theirs in logs}
        self._steps.add({"step": state.global_step, **line})
        self._report.told(state.global_step)
        if state.global_step % max(1, self._plan.updates // 20) == 0:
            reward = "" if self._report.reward is None else f", reward {self._report.reward:.3f}"
            kl = f", kl {line['kl']:.4f}" if "kl" in line else ""
            say(f"step {state.global_step} of {self._plan.updates}{reward}{kl}")

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Removes the checkpoints that the new one replaces."""
        if state.is_world_process_zero:
            prune(Path(args.output_dir), self._keep)


def _round(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
