"""Named sets of benchmarks and the averages that tables give for them."""

from dataclasses import dataclass

from medevalkit.benchmark import BENCHMARKS


@dataclass(frozen=True)
class Suite:
    """Benchmarks that are run and averaged together."""

    describe: str
    tasks: tuple[str, ...]
    source: str
    """The table of the paper that it stands for."""


SUITES = {
    "paper-multimodal": Suite(
        "the seven multimodal benchmarks of the paper",
        (
            *("mmmu-med-test", "vqa-rad", "slake", "path-vqa"),
            *("pmc-vqa", "omni-med-vqa", "medxpertqa-mm"),
        ),
        "Table 6",
    ),
    "paper-text": Suite(
        "the seven text benchmarks of the paper",
        (
            *("mmlu-med", "pubmedqa", "medmcqa", "medqa-usmle"),
            *("medbullets", "medxpertqa-text", "supergpqa-med"),
        ),
        "Table 7",
    ),
    "paper-reports": Suite(
        "the three report benchmarks of the paper, on the studies that it used",
        ("mimic-cxr", "chexpert-plus", "iu-xray-296"),
        "Table 8",
    ),
}


def expand(names: list[str]) -> list[str]:
    """Returns the names with every suite replaced by its benchmarks, each once."""
    found: dict[str, None] = {}
    for name in names:
        if name == "all":
            found |= dict.fromkeys(known.replace("_", "-") for known in BENCHMARKS.names())
        elif name in SUITES:
            found |= dict.fromkeys(SUITES[name].tasks)
        else:
            found[name] = None
    return list(found)
