"""The settings of the commands; nothing heavy is imported here."""

from typing import Any, Literal

from pydantic import Field

from lingshu_core.recipe import Recipe


class Running(Recipe):
    """How a command runs; none of it changes what is written."""

    workers: int = Field(default=1, ge=1)
    """Processes at a time."""
    engine: str = "local"
    """A name among the engines: `local`, or one of a plug-in."""
    share: str = Field(default="0/1", pattern=r"^\d+/[1-9]\d*$")
    """`i/n`: do only every n-th shard, from the i-th, and leave the end to whoever finds all
    shards finished. Started once for each i, on one machine or on many that share the folder."""

    dry_run: bool = False
    """Check inputs and settings, say what would be done, and stop."""

    @property
    def part(self) -> tuple[int, int]:
        """Which share, and of how many."""
        index, _, count = self.share.partition("/")
        return int(index), int(count)


class CurateSettings(Recipe):
    """A list of operators, each with its policy: which records it applies to."""

    steps: tuple[dict[str, Any], ...] = Field(min_length=1)
    """`operator` names one; `datasets`, `types` and the other keys of `operator.Policy` say what
    it applies to; the rest are the operator's own settings."""


class DecontaminateSettings(Recipe):
    """What counts as an overlap with an evaluation set."""

    distance: int = Field(default=2, ge=0, le=8)
    """Greatest Hamming distance of perceptual hashes that still counts as the same picture."""
    texts: Literal["unpictured", "all", "none"] = "unpictured"
    """Which records are compared by their texts: those without pictures, since a question is
    asked of many pictures; all of them; or none."""
    action: Literal["drop", "flag"] = "drop"
    """`flag` keeps the records and writes the overlap into their tags."""


class ClassifySettings(Recipe):
    """How modalities are found by looking."""

    model: str = "hf-hub:microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224"
    """As open_clip names models; `local-dir:PATH` for one on this machine."""
    head: str = ""
    """Folder of a head that `classify --fit` has written; zero-shot by prompts where empty."""
    least_chance: float = Field(default=0.5, ge=0, le=1)
    """A finding with less chance leaves the modality unknown."""
    batch: int = Field(default=32, ge=1)
    """Pictures that go through the model together."""
    held_out: float = Field(default=0.2, gt=0, lt=1)
    """Share of groups to measure a head on, where the publisher names no test part."""
    penalty: float = Field(default=1e-3, ge=0)
    """Of the squared weights of a head."""
    seed: int = Field(default=0, ge=0)
