"""What a run can be told; the resolved values stand as `settings.json` in its folder."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from lingshu_core.recipe import Recipe

Protocol = Literal["direct", "think", "official", "official-think"]
"""How an item is put. `direct` and `think` are the prompts that Lingshu is trained on (paper,
Figure 8); the other two are those of the official kit, to the byte."""

Kind = Literal["choice", "closed", "open", "report", "dialogue"]


class Sampling(Recipe):
    """How an answer is drawn."""

    max_new_tokens: int = Field(default=1024, gt=0)
    """Longest answer, in tokens."""
    max_new_tokens_for: dict[Kind, int] = Field(default_factory=dict)
    """The same for one kind of item: `{report = 512}`."""
    temperature: float = Field(default=0.0, ge=0)
    """0 takes the likeliest token."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, gt=0)
    repetition_penalty: float = Field(default=1.0, gt=0)
    seed: int = 0
    stop: tuple[str, ...] = ()

    def longest(self, kind: str) -> int:
        """Returns the longest answer to an item of a kind, in tokens."""
        return {str(name): limit for name, limit in self.max_new_tokens_for.items()}.get(
            kind, self.max_new_tokens
        )


class PictureSettings(Recipe):
    """How pictures reach the model."""

    max_pixels: int = Field(default=16384 * 28 * 28, gt=0)
    """A larger picture is scaled down, keeping its shape. The default is what Qwen2.5-VL itself
    takes at most."""
    refuse_pixels: int = Field(default=178_956_970, gt=0)
    """A picture that says it is larger than this is not decoded: it may be a bomb."""
    workers: int = Field(default=2, ge=1)
    """Threads that decode ahead of the engine."""
    ahead: int = Field(default=64, ge=1)
    """Items whose pictures may wait decoded."""
    cache_mb: int = Field(default=512, ge=0)
    """Memory for decoded pictures that other items may ask about again, in MiB."""


class Endpoint(Recipe):
    """An OpenAI-compatible endpoint. The key comes from the environment and is never written."""

    base_url: str = "http://127.0.0.1:8000/v1"
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; an endpoint without one gets none."""
    concurrency: int = Field(default=64, ge=1)
    """Requests in flight at most."""
    timeout: float = Field(default=180.0, gt=0)
    """Seconds from sending a request to the last byte of its answer."""
    retries: int = Field(default=6, ge=0)
    """Further attempts after one that failed in passing (429, 5xx, timeout, broken answer)."""
    backoff: float = Field(default=1.0, gt=0)
    """Seconds before the second attempt; doubled each time, with jitter; Retry-After wins."""
    longest_wait: float = Field(default=60.0, gt=0)
    """Longest pause between two attempts, in seconds."""
    error_budget: int = Field(default=50, ge=1)
    """Requests that may fail for good before the run stops, to be resumed."""
    price_in: float = Field(default=0.0, ge=0)
    """Price of a million prompt tokens, for the account."""
    price_out: float = Field(default=0.0, ge=0)
    """Price of a million tokens of answers."""
    limit_field: str = "max_tokens"
    """What the body calls the longest answer; some models want `max_completion_tokens`."""
    body: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further fields of the request's body, as some servers want them."""


class Engine(Recipe):
    """Models that run in this process."""

    dtype: str = "auto"
    """`auto`, `float32`, `bfloat16`, `float16`."""
    batch_size: int = Field(default=64, ge=1)
    """Items at a time (transformers)."""
    tensor_parallel: int = Field(default=1, ge=1)
    data_parallel: int = Field(default=1, ge=1)
    window: int = Field(default=512, ge=1)
    """Items inside vLLM at a time."""
    context: int | None = Field(default=None, gt=0)
    """Longest prompt and answer together, in tokens; the model's own limit if none (vLLM)."""
    memory: float = Field(default=0.9, gt=0, le=1)
    """Share of the device's memory that vLLM may take."""
    pictures_per_item: int = Field(default=16, ge=1)
    """Most pictures of one item (vLLM)."""
    trust_remote_code: bool = False
    """Whether code that comes with the weights may run."""
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further arguments of vLLM's engine, under vLLM's own names."""


class ReportSettings(Recipe):
    """What reports are measured by."""

    metrics: tuple[str, ...] = ("rouge-l", "cider")
    tokenizer: Literal["words", "ptb"] = "words"
    """How CIDEr finds words: numbers and runs of letters in lower case, or Stanford's Penn Treebank
    tokenizer, which needs Java."""
    frequencies: str | None = None
    """JSON file with the document frequencies of n-grams for CIDEr, `{"documents": 40504,
    "frequencies": {"the heart": 12}}`; those of the references where there is none."""
    weights: dict[str, str] = Field(default_factory=dict)
    """Folders or hub names in place of the published ones, for `medevalkit measure`:
    `{bertscore = "models/distilroberta-base"}`."""
    batch_size: int = Field(default=16, ge=1)
    """Texts at a time in such a model."""


class JudgeSettings(Recipe):
    """Settings of `medevalkit judge`."""

    model: str = Field(min_length=1)
    """What its endpoint calls the judging model."""
    name: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """What tables call the judge; made of model and protocol where it is empty."""
    protocol: Literal["paper", "rubric"] = "paper"
    """`paper`: 0 for right and 1 for wrong between tags (paper, Table 24). `rubric`: four points
    that all have to be met. An item with a rubric of its own is always judged by that."""
    endpoint: Endpoint = Endpoint()
    max_new_tokens: int = Field(default=4096, gt=0)
    temperature: float = Field(default=0.0, ge=0)
    cache: str | None = None
    """SQLite file in which verdicts are kept across runs, besides the run's own."""

    def shown(self) -> str:
        """Returns what tables and files call the judge."""
        model = re.sub(r"[^A-Za-z0-9._-]+", "-", self.model).strip("-.")
        return self.name or f"{model}-{self.protocol}"


class RunSettings(Recipe):
    """Settings of `medevalkit run`."""

    model: str = Field(pattern=r"^[^:]+:.+|^oracle$|^constant$")
    """`BACKEND:NAME`: `hf:DIR`, `vllm:DIR`, `openai:NAME`, `replay:MANIFEST`, `oracle`,
    `constant:TEXT`."""
    label: str = ""
    """What tables call the model; a folder's name, or `model` itself, where it is empty."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Names of benchmarks or suites, `manifest:PATH`, or `NAME=PATH`."""
    protocol: Protocol = "direct"
    blind: bool = False
    """Ask without the pictures: what is left is knowledge, habit and chance."""
    system: str | None = None
    """A system message before every item; none unless the model's chat template adds one."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first items of each task."""
    shard: tuple[int, int] | None = None
    """`(i, n)`: only every n-th item, from the i-th; `medevalkit merge` joins the parts."""
    replicas: int = Field(default=1, ge=1)
    """Answers drawn for every item; more than one wants a temperature."""
    circular: bool = False
    """Ask every choice once for each rotation of its options."""
    profiles: tuple[str, ...] = Field(default=("strict",), min_length=1)
    """Scored with these when the last answer is in."""
    reports: ReportSettings = ReportSettings()
    sampling: Sampling = Sampling()
    pictures: PictureSettings = PictureSettings()
    endpoint: Endpoint = Endpoint()
    engine: Engine = Engine()
    cache: str | None = None
    """SQLite file in which answers are kept across runs."""

    def shown(self) -> str:
        """Returns what tables call the model; never a path of this machine."""
        backend, _, name = self.model.partition(":")
        try:
            is_folder = bool(name) and Path(name).is_dir()
        except OSError:  # a constant answer may be too long for a path
            is_folder = False
        shown = f"{backend}:{Path(name).resolve().name}" if is_folder else self.model
        return self.label or shown

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.shard is not None and not 0 <= self.shard[0] < self.shard[1]:
            raise ValueError(f"the shard {self.shard} has to be i of n with 0 <= i < n")
        if self.replicas > 1 and self.sampling.temperature == 0:
            raise ValueError("replicas > 1 with sampling.temperature 0 asks the same thing again")
        return self
