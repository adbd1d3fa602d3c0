"""The settings of both commands; nothing heavy is imported here.

What the paper says stands in `recipes/lingshu-rl-7b.toml`; how its batch terms map onto the
trainer's is worked out in `plan.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lingshu_core.recipe import Recipe

Share = Annotated[float, Field(ge=0, le=1)]
Loss = Literal["grpo", "bnpo", "dr_grpo", "dapo", "gspo"]


class CurationRecipe(Recipe):
    """What `lingshu-rl curate` does, step by step."""

    name: str = "verifiable"
    seed: int = 0
    checkpoint: str = ""
    """The checkpoint that training shall start from, for the steps that ask it."""
    against: tuple[str, ...] = ()
    """Manifests that models are evaluated on, for the step that decontaminates."""
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)
    """The steps in order: `use` names one, its other keys are its settings."""

    @model_validator(mode="after")
    def _steps_are_named(self) -> "CurationRecipe":
        for number, step in enumerate(self.steps, 1):
            if not isinstance(step.get("use"), str):
                raise ValueError(f"step {number} lacks `use`, the name of a step")
        return self


class Batch(Recipe):
    """How many prompts and answers make a rollout and an update (paper, section 3.2)."""

    responses: int = Field(default=16, ge=2)
    """Answers sampled for each prompt."""
    rollout: int = Field(default=512, ge=1)
    """Prompts of one rollout."""
    update: int = Field(default=128, ge=1)
    """What one optimizer step learns from, in `update_unit`."""
    update_unit: Literal["prompts", "responses"] = "prompts"
    """The paper's "global batch size 128" counts prompts, as its "rollout batch size" does."""
    micro: int = Field(default=2, ge=1)
    """Answers of one forward and backward pass on one device."""
    epochs: int = Field(default=1, ge=1)
    rollouts: int | None = Field(default=None, ge=1)
    """Stop after so many rollouts; None: after the epochs."""
    order: Literal["shuffled", "easy_to_hard"] = "shuffled"
    """`easy_to_hard` follows the pass counts that the step `difficulty` wrote down."""
    reuse: int = Field(default=1, ge=1)
    """Passes over the answers of one rollout (mu of the GRPO paper)."""


class Lengths(Recipe):
    """Greatest lengths, in tokens, picture tokens included (paper: 4,096 in all)."""

    total: int = Field(default=4096, ge=2)
    response: int = Field(default=2048, ge=1)
    max_pixels: int | None = Field(default=None, ge=28 * 28)
    """Larger pictures are made smaller; None: as the checkpoint's processor says."""

    @model_validator(mode="after")
    def _room_for_a_prompt(self) -> "Lengths":
        if self.response >= self.total:
            raise ValueError("`response` leaves no room for a prompt within `total`")
        return self

    @property
    def prompt(self) -> int:
        """Greatest number of prompt tokens."""
        return self.total - self.response


class Optimizer(Recipe):
    """AdamW."""

    learning_rate: float = Field(default=1e-6, gt=0)
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    warmup: int = Field(default=0, ge=0)
    """Steps until the rate has risen to its value."""
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    freeze: tuple[Literal["vision", "projector", "llm"], ...] = ()
    """Parts of the model that are left as they are."""


class Objective(Recipe):
    """What is maximised."""

    loss: Loss = "grpo"
    """`grpo` averages over the tokens of an answer, then over answers; `bnpo` over the tokens of a
    micro-batch; `dr_grpo` divides by the greatest length and leaves rewards unscaled; `dapo` over
    the tokens of an update; `gspo` takes ratios by sequence."""
    clip_low: float = Field(default=0.2, gt=0)
    clip_high: float = Field(default=0.2, gt=0)
    dual_clip: float | None = Field(default=None, gt=1)
    """Upper bound of the ratio where the advantage is negative."""
    kl: float = Field(default=1e-3, ge=0)
    """Weight of the divergence from the starting checkpoint (k3 estimator)."""
    mask_truncated: bool = False
    """Leave answers out that were cut at the greatest length."""
    resampling: int = Field(default=0, ge=0)
    """DAPO's dynamic sampling: how often groups of equal rewards give way to fresh prompts."""


class Reward(Recipe):
    """One reward: an entry of `[rewards]`."""

    weight: float = 0.0
    """What full marks add to the sum; 0 measures without steering."""
    veto: bool = False
    """Whether a value of 0 makes the whole reward 0."""


class Endpoint(Recipe):
    """A model at an OpenAI-compatible endpoint."""

    model: str
    base_url: str = "http://127.0.0.1:8000/v1"
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself stands nowhere."""
    cache: str | None = None
    """SQLite file of its replies, shared by runs; None: beside the work."""
    concurrency: int = Field(default=16, ge=1)
    timeout: float = Field(default=60.0, gt=0)
    """Seconds one request may take."""
    patience: float = Field(default=600.0, ge=0)
    """Seconds that the work waits for an endpoint that is down before it stops, resumable."""


class Judge(Endpoint):
    """A model that is asked where the rules say `unknown`."""

    max_answer: int = Field(default=400, ge=1)
    """Characters; a longer answer is wrong without asking."""


class EngineSettings(Recipe):
    """Who samples the answers."""

    name: str = "hf"
    """`hf` (the training model itself), `vllm` (in this process), `vllm_server`, or a plug-in's."""
    temperature: float = Field(default=1.0, gt=0)
    servers: tuple[str, ...] = ("http://127.0.0.1:8000",)
    """For `vllm_server`; ranks are dealt out over them."""
    patience: float = Field(default=600.0, ge=0)
    """Seconds that training waits for a server that is gone before it stops, resumable."""
    memory: float = Field(default=0.3, gt=0, le=1)
    """Share of the device's memory that an engine in this process takes."""
    sleep: bool = False
    """Whether an engine in this process gives its memory back while the model trains."""
    correction: Literal["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"] = (
        "token_truncate"
    )
    """How the gap between rollout and training probabilities is corrected."""
    correction_cap: float = Field(default=2.0, gt=1)
    greatest_gap: float = Field(default=0.1, gt=0)
    """Mean difference of a token's log-probability between engine and trainer at which the run
    stops: a weight went stale, or another model is served. Rounding in bfloat16 makes some 0.02."""


class Hardware(Recipe):
    """Where and how it runs."""

    precision: Literal["bfloat16", "float32"] = "bfloat16"
    device: Literal["auto", "cpu"] = "auto"
    deepspeed: Literal["none", "zero2", "zero3"] = "none"
    gradient_checkpointing: bool = True


class TrainingRecipe(Recipe):
    """What `lingshu-rl run` does."""

    name: str = "lingshu-rl"
    parent: str = ""
    """Checkpoint to start from, which is also the reference of the divergence."""
    prompts: str = ""
    """Manifest of verifiable questions (`lingshu-rl curate`)."""
    heldout: str = ""
    """Manifest of questions that accuracy is measured on, greedily; empty: none."""
    heldout_every: int = Field(default=0, ge=0)
    """Rollouts between two measurements; 0: only before and after."""
    seed: int = 0
    batch: Batch = Batch()
    lengths: Lengths = Lengths()
    optimizer: Optimizer = Optimizer()
    objective: Objective = Objective()
    rewards: dict[str, Reward] = Field(
        default={"format": Reward(weight=0.5), "accuracy": Reward(weight=1.0)}
    )
    shuffle_rewards: bool = False
    """Control experiment: rewards are dealt out at random within a rollout."""
    judge: Judge | None = None
    engine: EngineSettings = EngineSettings()
    hardware: Hardware = Hardware()
    save_every: int = Field(default=5, ge=1)
    """Rollouts between two checkpoints to resume from."""
    keep: int = Field(default=1, ge=1)
    """How many of them are kept."""

    @model_validator(mode="after")
    def _rewards_are_there(self) -> "TrainingRecipe":
        if not any(reward.weight for reward in self.rewards.values()):
            raise ValueError("no reward has a weight: nothing would be learned")
        return self
