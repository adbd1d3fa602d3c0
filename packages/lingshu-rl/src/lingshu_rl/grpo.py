"""Our settings as TRL's, with every default that differs from the paper's set by name."""

import os
from pathlib import Path
from typing import Any

from lingshu_rl.plan import Plan
from lingshu_rl.settings import TrainingRecipe

_LOSSES: dict[str, dict[str, Any]] = {
    "grpo": {"loss_type": "grpo", "scale_rewards": "group"},
    "bnpo": {"loss_type": "bnpo", "scale_rewards": "group"},
    "dr_grpo": {"loss_type": "dr_grpo", "scale_rewards": "none"},
    "dapo": {"loss_type": "dapo", "scale_rewards": "group"},
    "gspo": {
        "loss_type": "grpo",
        "scale_rewards": "group",
        "importance_sampling_level": "sequence",
    },
}
_SCHEDULES = {"constant": "constant_with_warmup", "cosine": "cosine", "linear": "linear"}


def grpo_config(
    recipe: TrainingRecipe, plan: Plan, state: Path, weights: list[float], suppressed: list[int]
) -> Any:
    """Returns the `GRPOConfig` of a run.

    Args:
        recipe: The settings.
        plan: The arithmetic of batches.
        state: Folder of the checkpoints to resume from.
        weights: Of the rewards, in their order.
        suppressed: Tokens that are never sampled.

    TRL's defaults that are not the paper's: no divergence (`beta` 0), a divergence weighted by the
    ratio, a linearly falling rate, prompts shuffled by row (which would mix text with pictures),
    a correction that masks whole answers.
    """
    from trl.trainer.grpo_config import GRPOConfig

    objective, engine, hardware = recipe.objective, recipe.engine, recipe.hardware
    cpu = hardware.device == "cpu"
    return GRPOConfig(
        output_dir=str(state),
        seed=recipe.seed,
        data_seed=recipe.seed,
        **_LOSSES[objective.loss],
        per_device_train_batch_size=plan.micro,
        gradient_accumulation_steps=plan.accumulation,
        steps_per_generation=plan.micro_per_rollout,
        num_iterations=plan.reuse,
        num_generations=plan.responses,
        max_steps=plan.updates,
        shuffle_dataset=False,
        max_completion_length=recipe.lengths.response,
        mask_truncated_completions=objective.mask_truncated,
        temperature=engine.temperature,
        top_p=1.0,
        top_k=0,
        repetition_penalty=1.0,
        generation_kwargs={"suppress_tokens": suppressed},
        vllm_importance_sampling_correction=True,
        vllm_importance_sampling_mode=engine.correction,
        vllm_importance_sampling_clip_max=engine.correction_cap,
        reward_weights=weights,
        beta=objective.kl,
        use_bias_correction_kl=False,
        epsilon=objective.clip_low,
        epsilon_high=objective.clip_high,
        delta=objective.dual_clip,
        disable_dropout=True,
        learning_rate=recipe.optimizer.learning_rate,
        lr_scheduler_type=_SCHEDULES[recipe.optimizer.schedule],
        warmup_steps=recipe.optimizer.warmup,
        weight_decay=recipe.optimizer.weight_decay,
        max_grad_norm=recipe.optimizer.max_grad_norm,
        bf16=hardware.precision == "bfloat16",
        gradient_checkpointing=hardware.gradient_checkpointing,
        deepspeed=deepspeed_config(recipe),
        use_cpu=cpu,
        dataloader_pin_memory=not cpu,
        dataloader_num_workers=0,
        save_strategy="steps",
        # Only where a rollout ends: in the middle of one its answers would be lost.
        save_steps=recipe.save_every * plan.updates_per_rollout,
        save_total_limit=None,
        logging_steps=1,
        logging_nan_inf_filter=False,
        log_multimodal=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )


def deepspeed_config(recipe: TrainingRecipe) -> dict[str, Any] | None:
    """Returns the DeepSpeed settings of ZeRO-2 or ZeRO-3, None where it is not used."""
    stage = {"none": 0, "zero2": 2, "zero3": 3}[recipe.hardware.deepspeed]
    if not stage:
        return None
    cpu = recipe.hardware.device == "cpu"
    zero: dict[str, Any] = {"stage": stage, "overlap_comm": not cpu, "contiguous_gradients": True}
    if stage == 3:
        zero["stage3_gather_16bit_weights_on_model_save"] = True
    return {
        "bf16": {"enabled": recipe.hardware.precision == "bfloat16"},
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "gradient_clipping": recipe.optimizer.max_grad_norm,
        "gradient_accumulation_steps": "auto",
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "steps_per_print": 1 << 30,
    }


def quiet_environment(cpu: bool) -> None:
    """Sets what libraries read from the environment when they are imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if cpu:
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
