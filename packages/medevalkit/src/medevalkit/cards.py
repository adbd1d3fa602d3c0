"""The cards of the benchmarks, for the terminal."""

import json
from pathlib import Path

from lingshu_core.files import HEADER_NAME
from medevalkit.benchmark import BENCHMARKS, Benchmark
from medevalkit.suites import SUITES


def list_text(data: Path) -> str:
    """Returns a line for every benchmark and suite; a star marks what is prepared in `data`."""
    rows = []
    for name, benchmark in BENCHMARKS.items():
        shown = name.replace("_", "-")
        mark = "*" if (data / shown / HEADER_NAME).is_file() else " "
        rows.append((benchmark.card.kind, f"{mark} {shown}", benchmark))
    lines = []
    for kind in ("multimodal", "text", "report"):
        lines.append(f"{kind}:")
        lines += [
            f"  {shown:25}{_count(benchmark):>7}  {benchmark.card.title}"
            for found, shown, benchmark in rows
            if found == kind
        ]
    lines.append("suites:")
    lines += [f"    {name:23}{len(s.tasks):>7}  {s.describe}" for name, s in SUITES.items()]
    lines.append(f"    {'all':23}{len(rows):>7}  every benchmark")
    lines.append(f"* prepared in {data}")
    return "\n".join(lines)


def card_text(name: str) -> str:
    """Returns the card of a benchmark, with an example as its publisher has it."""
    benchmark = BENCHMARKS.get(name)
    card = benchmark.card
    facts = {
        "source": card.source,
        "revision": card.revision or "none pinned",
        "split": card.split,
        "licence": card.licence,
        "citation": card.citation,
        "items": card.items if card.items is not None else "not known beforehand",
        "pictures": card.pictures,
        "in the paper": card.paper_items and f"{card.paper_items} items",
        "tables by": ", ".join(("modality", *benchmark.breakdown)),
    }
    lines = [card.title, *(f"  {k:14}{v}" for k, v in facts.items() if v is not None)]
    lines += [f"  - {odd}" for odd in card.odd]
    lines.append("example: " + json.dumps(benchmark.example, ensure_ascii=False, indent=2))
    return "\n".join(lines)


def _count(benchmark: Benchmark) -> str:
    return "" if benchmark.card.items is None else str(benchmark.card.items)
