"""What a stage can be told: recipe models, importable without torch.

Defaults are the paper's (section 3.2) wherever it names a value.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import Recipe

Group = Literal["vision", "projector", "language"]
GROUPS: tuple[Group, ...] = ("vision", "projector", "language")
Norm = Literal["document", "token_row", "token_global", "sqrt"]
PackingMode = Literal["none", "step", "full"]
Attention = Literal["auto", "varlen", "flash_attention_2", "flash_attention_3", "sdpa", "eager"]


class Rates(Recipe):
    """Peak learning rate of each part of the model; a part without one is frozen."""

    vision: float | None = Field(default=None, gt=0)
    projector: float | None = Field(default=None, gt=0)
    language: float | None = Field(default=None, gt=0)
    """Embeddings and `lm_head` belong to it."""

    @model_validator(mode="after")
    def _something_trains(self) -> Self:
        if not self.trained():
            raise ValueError("every part is frozen: give one of vision, projector, language a rate")
        return self

    def trained(self) -> dict[Group, float]:
        """Returns the peak rate of every part that trains."""
        rates = {name: getattr(self, name) for name in GROUPS}
        return {name: rate for name, rate in rates.items() if rate is not None}


class Optimizer(Recipe):
    """AdamW with a linear warm-up and a cosine down to zero."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    """Of matrices; vectors (norms, biases) are left alone."""
    clip: float | None = Field(default=1.0, gt=0)
    """Greatest norm of the gradient of all parts together."""
    warmup_steps: int = Field(default=100, ge=0)


class Batch(Recipe):
    """How many samples one optimizer step takes: devices x per_device x accumulation."""

    per_device: int = Field(default=1, ge=1)
    accumulation: int = Field(default=8, ge=1)
    devices: int | None = Field(default=None, ge=1)
    """For which number of devices; None takes the number that the run is started on. The batch
    stays as it is when a run goes on with another number."""

    def size(self, devices: int) -> int:
        """Returns the samples (with full packing: rows) of one optimizer step."""
        return self.per_device * self.accumulation * (self.devices or devices)


class Sequence(Recipe):
    """How long a sample may be."""

    max_length: int = Field(default=8192, ge=16)
    """In tokens, pictures included; also the length of a packed row."""
    too_long: Literal["shorten", "set_aside"] = "shorten"
    """`shorten` cuts text from the end, never a picture; what cannot be shortened so is set
    aside."""


class Pictures(Recipe):
    """Bounds on the size of a picture; None takes the processor's."""

    min_pixels: int | None = Field(default=None, ge=784)
    max_pixels: int | None = Field(default=None, ge=784)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels is greater than max_pixels")
        return self


class Packing(Recipe):
    """Whether samples share a row."""

    mode: PackingMode = "none"
    """`none`: a row a sample. `step`: the samples of one optimizer step share rows. `full`: rows
    are filled, and a step takes rows in place of samples."""
    window: int = Field(default=10_000, ge=100)
    """Among how many samples `full` looks for those that fill a row."""


class Loss(Recipe):
    """How the losses of tokens become one number; each adds up to 1 over the global batch."""

    norm: Norm = "document"
    """`document`: every sample counts alike. `token_row`: every row, and in it every token.
    `token_global`: every token. `sqrt`: samples by the square root of their tokens."""
    why: str = ""
    """Shown on the run's page: the paper names no normalisation."""
    spike: float | None = Field(default=None, gt=1)
    """Stops where a step's loss exceeds this many times the mean of the last 50."""


class Engine(Recipe):
    """What holds the parameters and steps them."""

    kind: str = "deepspeed"
    """`deepspeed`, `torch`, or a plug-in's name."""
    zero: Literal[1, 2, 3] = 2
    """How much DeepSpeed shares out: optimizer states, gradients too, parameters too."""
    offload: Literal["none", "optimizer", "parameters"] = "none"
    """What DeepSpeed keeps in the host's memory; `parameters` includes the optimizer."""
    checkpointing: bool | Literal["vision"] = True
    """Whether activations are computed again in the backward pass to save memory; `vision`: those
    of the vision encoder alone."""
    config: str | None = None
    """A DeepSpeed JSON file whose keys are added; it may hold neither optimizer nor scheduler."""


class Lora(Recipe):
    """Low-rank adapters on the language model in place of its weights."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    targets: tuple[str, ...] = (
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    )  # fmt: skip
    """Names of linear layers."""


class Data(Recipe):
    """How samples reach the device."""

    workers: int = Field(default=4, ge=0)
    """Processes a rank that decode pictures ahead; 0 decodes in the rank itself."""
    ahead: int = Field(default=4, ge=1)
    """Rows each worker keeps ready."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the mixture to learn from; a smaller share is part of every greater one."""
    without: tuple[str, ...] = ()
    """Kinds of record to leave out: `medical-text` and others (`lingshu-train ablate --help`)."""
    most_set_aside: float = Field(default=0.05, ge=0, le=1)
    """Share of samples that may turn out unusable before the run stops."""


class Evaluation(Recipe):
    """Held-out samples that are looked at while training."""

    every: int | None = Field(default=None, ge=1)
    """Optimizer steps between two looks; None looks only at the end."""
    samples: int = Field(default=256, ge=1)
    """How many of the held-out samples the loss is taken over."""
    generations: int = Field(default=8, ge=0)
    """How many of them are answered and shown against the gold."""
    max_new_tokens: int = Field(default=64, ge=1)


class Checkpoints(Recipe):
    """What is kept to go on from."""

    every: int | None = Field(default=500, ge=1)
    """Optimizer steps between two checkpoints; None keeps only the one of a stop."""
    keep: int = Field(default=2, ge=1)


class Stage(Recipe):
    """One supervised stage."""

    stage: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """`shallow`, `deep`, `instruction`, or a name of the user's."""
    parent: str
    """The checkpoint to go on from: a folder, or a model of the hub."""
    mixture: str
    """The manifest to learn from."""
    heldout: str | None = None
    """A manifest that is looked at and never learned from."""
    shape: str | None = None
    """What the parent looks like, as a recipe of a shape: for estimates before it is there."""
    seed: int = Field(default=0, ge=0)
    epochs: int = Field(default=1, ge=1)
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    attention: Attention = "auto"
    rates: Rates
    optimizer: Optimizer = Optimizer()
    batch: Batch = Batch()
    sequence: Sequence = Sequence()
    pictures: Pictures = Pictures()
    packing: Packing = Packing()
    loss: Loss = Loss()
    engine: Engine = Engine()
    lora: Lora | None = None
    data: Data = Data()
    evaluation: Evaluation = Evaluation()
    checkpoints: Checkpoints = Checkpoints()
    trackers: tuple[str, ...] = ()
    """`tensorboard`, `wandb`: the extras of the same names."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.packing.mode == "step" and self.loss.norm == "token_row":
            raise ValueError(
                "packing.mode 'step' keeps every sample's own loss, and loss.norm 'token_row' "
                "depends on which samples share a row: take 'document', or packing.mode 'full'"
            )
        if self.lora and self.rates.language is None:
            raise ValueError("lora adapts the language model, so rates.language has to be given")
        return self

    def deciding(self) -> dict[str, object]:
        """Returns what decides the weights; the rest may change when a run is resumed."""
        whole = self.model_dump(mode="json")
        for name in (
            "parent", "mixture", "heldout", "shape", "evaluation", "checkpoints", "trackers",
        ):  # fmt: skip
            del whole[name]
        for name in ("kind", "zero", "offload", "checkpointing", "config"):
            del whole["engine"][name]
        for name in ("workers", "ahead"):
            del whole["data"][name]
        del whole["loss"]["why"]
        return whole

    def require_paths(self) -> None:
        """Makes sure that the user has named parent and mixture; SettingsError otherwise."""
        for name in ("parent", "mixture"):
            if not getattr(self, name):
                raise SettingsError(f"the recipe leaves {name!r} to you: give --set {name}=…")


class Vision(Recipe):
    """Shape of the vision encoder."""

    depth: int = Field(ge=1)
    hidden: int = Field(ge=32)
    intermediate: int = Field(ge=32)
    heads: int = Field(ge=1)
    window: int = Field(default=112, ge=28)
    """Side of an attention window in pixels."""
    patch: int = Field(default=14, ge=7)
    """Side of a patch in pixels; two by two of them become one token."""
    full_attention: tuple[int, ...] = (7, 15, 23, 31)
    """Blocks that see the whole picture."""


class Language(Recipe):
    """Shape of the language model."""

    layers: int = Field(ge=1)
    hidden: int = Field(ge=32)
    intermediate: int = Field(ge=32)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    vocabulary: int | None = Field(default=None, ge=300)
    """Rows of the embedding; None takes as many as the learned vocabulary has."""
    tied: bool = False
    """Whether `lm_head` is the embedding."""
    positions: int = Field(default=128_000, ge=64)
    rope_theta: float = 1_000_000.0


class Shape(Recipe):
    """A model of the Qwen2.5-VL family to be built with random weights."""

    name: str
    seed: int = Field(default=0, ge=0)
    dtype: Literal["float32", "bfloat16"] = "float32"
    vision: Vision
    language: Language
    tokens: int = Field(default=4096, ge=300)
    """Greatest size of the vocabulary that is learned from the corpus."""
    min_pixels: int = Field(default=3136, ge=784)
    max_pixels: int = Field(default=1_003_520, ge=784)
    max_new_tokens: int = Field(default=512, ge=1)
    """Written into `generation_config.json`."""
    initializer_range: float = Field(default=0.02, gt=0)
    """Standard deviation of the random weights. Qwen2.5-VL's own 0.02 suits widths of thousands; a
    narrow model starts faster from about one over the root of its width."""

    @model_validator(mode="after")
    def _divides(self) -> Self:
        for part in (self.vision, self.language):
            if part.hidden % part.heads:
                raise ValueError(f"hidden {part.hidden} does not divide by heads {part.heads}")
        if self.language.heads % self.language.kv_heads:
            raise ValueError("language.heads does not divide by language.kv_heads")
        if max(self.vision.full_attention) >= self.vision.depth:
            raise ValueError("vision.full_attention names a block that is not there")
        return self
