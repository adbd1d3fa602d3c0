"""The recipe models of all generators; importing them loads nothing heavy.

What is asked (generator, model, sampling, pictures, prompts) decides the identity of the output.
How it is asked (`calls`: endpoints, concurrency, attempts) does not: another address or another
number of calls in flight finds the same journal and ends in the same manifest.
"""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lingshu_core.digest import digest
from lingshu_core.recipe import Recipe

Share = Annotated[float, Field(ge=0, le=1)]
Topic = Literal["modality", "organ", "position", "presence"]
OFFLINE = "offline-writer"
"""What provenance names as the model where a text came from templates."""


class ModelSettings(Recipe):
    """Which model is asked, and how it samples; all of it is part of what a call is known by."""

    name: str = ""
    """Logical name, the same whichever endpoint answers; empty: nothing is asked."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=1024, gt=0)
    seed: int | None = None
    """Sent to the endpoint where it is given."""
    extra: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further sampling fields of the request body, such as `reasoning_effort`."""

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The settings as JSON."""
        return self.model_dump(mode="json")


class EndpointSettings(Recipe):
    """One place that answers OpenAI's chat completions."""

    url: str
    """Base address, such as `https://api.openai.com/v1`."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself stands nowhere."""
    kind: Literal["openai", "vllm", "other"] = "openai"
    """What provenance calls it."""
    model: str = ""
    """What this endpoint calls the model; empty: its logical name."""
    schemas: Literal["json_schema", "json_object", "none"] = "json_schema"
    """How it can be held to a form."""
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What it calls the greatest length of a reply."""
    stores: bool = False
    """Whether it keeps completions that can be asked for after a crash. They hold the pictures."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Pace to start with; without it the endpoint's headers and refusals set the pace."""
    tokens_per_minute: float | None = Field(default=None, gt=0)


class CallSettings(Recipe):
    """How calls are made; none of it changes what comes out."""

    endpoints: tuple[EndpointSettings, ...] = ()
    """In order of preference: the next one is used while one is down."""
    concurrency: int = Field(default=64, ge=1, le=4096)
    """Calls in flight at most."""
    attempts: int = Field(default=6, ge=1)
    """How often a call is tried that meets a fault of the server or the line; refusals for pace
    (429) do not count."""
    timeout: float = Field(default=600.0, gt=0)
    """Seconds for one attempt. A reply that comes later may be paid for all the same."""
    budget: float | None = Field(default=None, gt=0)
    """US dollars that may be spent by one command."""
    prices: str | None = None
    """File with prices of your own, added to those of the package."""
    batch: bool = False
    """Whether calls go through the Batch API, at half the price within a day."""
    batch_requests: int = Field(default=2000, ge=1, le=50_000)
    """Requests in one batch file at most."""
    batch_bytes: int = Field(default=180_000_000, ge=1)
    """Bytes of one batch file at most."""
    batch_poll: float = Field(default=30.0, gt=0)
    """Seconds between two looks at the batches."""
    batch_open: int = Field(default=20, ge=1)
    """Batches that wait at the endpoint at the same time."""
    ask_again: tuple[Literal["refusal", "length", "content_filter", "error"], ...] = ()
    """Outcomes that are asked for, and paid, once more."""


class PicturePolicy(Recipe):
    """How pictures are scaled and encoded before they are sent; stands in every record."""

    longest: int = Field(default=1024, ge=32)
    """Longest side in pixels; smaller pictures stay as they are."""
    format: Literal["jpeg", "png"] = "jpeg"
    quality: int = Field(default=92, ge=1, le=100)
    """Of JPEG."""
    detail: Literal["low", "high", "auto"] = "high"
    """What OpenAI's endpoints call the resolution at which they look."""

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The policy as JSON."""
        return self.model_dump(mode="json")

    def told(self) -> str:
        """Returns the policy in words, for provenance."""
        kind = f"JPEG of quality {self.quality}" if self.format == "jpeg" else "PNG"
        return f"longest side {self.longest} px, {kind}, detail {self.detail}"


class RegionSettings(Recipe):
    """Which regions and which slices of a volume are shown."""

    least_share: Share = 0.0005
    """Parts of a mask below this share of the picture are left out."""
    most: int = Field(default=6, ge=1)
    """Regions in one picture at most, the largest first."""
    largest: int = Field(default=1, ge=0)
    """Slices of a volume with the largest marked area."""
    spaced: int = Field(default=3, ge=0)
    """Further slices, evenly spaced through the marked part, or through the middle of the volume
    where nothing is marked."""


class GeneratorSettings(Recipe):
    """What all generators have in common."""

    seed: int = 0
    limit: int | None = Field(default=None, ge=1)
    """Only that many records, drawn by the seed: a trial whose calls the full run need not pay."""
    per_modality: int | None = Field(default=None, ge=1)
    """Records of one modality at most, drawn by the seed, so that none outweighs the others."""
    prompts: str | None = None
    """Folder with prompts of your own; what it lacks comes from the package."""
    model: ModelSettings = ModelSettings()
    pictures: PicturePolicy = PicturePolicy()
    regions: RegionSettings = RegionSettings()
    calls: CallSettings = CallSettings()

    @model_validator(mode="after")
    def _endpoint_has_a_model(self) -> Self:
        if self.calls.endpoints and not self.model.name:
            raise ValueError("an endpoint is given and no model: name it with --model")
        return self

    @property
    def asks(self) -> bool:
        """Whether a model is asked at all."""
        return bool(self.model.name)

    def identity(self) -> str:
        """Returns the digest of everything that can change the output."""
        return digest(self.model_dump(mode="json", exclude={"calls"}))


class CaptionSettings(GeneratorSettings):
    """Captions (paper, section 2.2.1)."""

    short: bool = True
    """Whether the short caption from metadata is written out too."""
    cards: str | None = None
    """Folder with dataset cards of your own."""
    knowledge: str | None = None
    """Folder with notes on diseases of your own, which are added to those of the package."""
    words: tuple[int, int] = (30, 450)
    """Fewest and most words of a caption that a model wrote."""


class Mix(Recipe):
    """Shares of the kinds of question; they need not add up to 1."""

    open: float = Field(default=1.0, ge=0)
    closed: float = Field(default=1.0, ge=0)
    choice: float = Field(default=1.0, ge=0)


class VqaSettings(GeneratorSettings):
    """Questions about pictures (paper, section 2.2.3)."""

    topics: tuple[Topic, ...] = ("modality", "organ", "position", "presence")
    per_record: int = Field(default=6, ge=1)
    """Questions from labels about one picture at most."""
    mix: Mix = Mix()
    options: int = Field(default=4, ge=2, le=26)
    """Options of a choice at most; fewer where the dataset's labels give no more."""
    turns: int = Field(default=1, ge=1)
    """Questions about one picture that are put one after another in one conversation, as many
    instruction sets have them; 1 writes each as a question of its own."""
    seeds: str | None = None
    """Manifest of real questions from which the two examples of a request are drawn."""


class CotSettings(GeneratorSettings):
    """Reasoning (paper, section 2.2.4)."""

    share: Share = 1.0
    """Share of the questions that get a reasoning, drawn by the seed."""
    words: tuple[int, int] = (8, 600)
    """Fewest and most words of a reasoning that a model wrote."""


class PageStyle(Recipe):
    """How a rendered exam question may look; each page draws its own by the seed."""

    width: tuple[int, int] = (640, 1100)
    """Pixels."""
    size: tuple[int, int] = (20, 34)
    """Height of the letters in pixels."""
    rotation: float = Field(default=2.0, ge=0, le=10)
    """Degrees to either side at most."""
    noise: float = Field(default=8.0, ge=0, le=60)
    """Standard deviation of the grain at most, of 255."""
    blur: float = Field(default=0.6, ge=0, le=3)
    """Radius in pixels at most."""


class OcrSettings(GeneratorSettings):
    """Exam questions as pictures (paper, section 2.2.2)."""

    page: PageStyle = PageStyle()


class DialogueSettings(GeneratorSettings):
    """Rewriting of doctors' answers (paper, section 2.1.4)."""

    words: tuple[int, int] = (30, 600)
    """Fewest and most words of a rewritten answer."""
