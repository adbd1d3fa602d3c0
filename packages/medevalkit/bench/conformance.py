"""How far the official profiles agree with recorded outputs of the official kit, and strict reads.

    python packages/medevalkit/bench/conformance.py --golden DIR

DIR holds the recorded outputs (`mcq.jsonl` and others), which are not part of the repository.
"""

import argparse
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from medevalkit.official import mmmu, prompts
from medevalkit.official.closed import slake_closed
from medevalkit.official.free import open_ended
from medevalkit.official.judge import RIGHT, read_verdict
from medevalkit.official.marks import CrashError
from medevalkit.profile import PROFILES, Row
from medevalkit.radcliq import V0, V1
from medevalkit.radgraph import overlap

RESULTS = Path(__file__).parent / "results" / "conformance.json"
KINDS = {
    "multiple_choice": "choice",
    "judgement": "yesno",
    "close_ended": "closed",
    "open_ended": "open",
    "report": "report",
    "judge": "judge",
    "mmmu_multiple-choice": "mmmu-choice",
    "mmmu_open": "mmmu-open",
}
Golden = dict[str, Any]


def _rows(path: Path) -> Iterator[Golden]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _graded(profile: str, kind: str, row: Golden, gold: str = "gold") -> Any:
    choices = tuple(row.get("choices", ()))
    return PROFILES.get(profile).grade(Row(kind, row[gold], row["response"], choices))


def _mcq(profile: str) -> Callable[[Golden], bool]:
    def agrees(row: Golden) -> bool:
        found = _graded(profile, "choice", row)
        right = found.verdict == "right"
        return [found.parsed] == row["upstream_implied_pred"] and right == row["upstream_correct"]

    return agrees


def _mmmu_choice(row: Golden) -> bool:
    letter, rule = mmmu.read_letter(row["response"], row["index2ans"], random.Random(0))
    if row["random_fallback"]:
        return rule == "random"
    return letter == row["upstream_pred"]


def _mmmu_open(row: Golden) -> bool:
    said = mmmu.read_open(row["response"])
    same = sorted(map(str, said)) == sorted(row["test_path_parsed"])
    return same and mmmu.open_is_right(row["gold"], said) == row["test_path_correct"]


def _yes_no(row: Golden) -> bool:
    head = _graded("official", "yesno", row).verdict == "right"
    june = _graded("official-2025-06", "yesno", row).verdict == "right"
    return (head, june) == (row["upstream_correct"], row["v0_correct"])


def _slake(row: Golden) -> bool:
    return slake_closed(row["answer"], row["response"]) == row["upstream_correct"]


def _slake_june(row: Golden) -> bool:
    found = _graded("official-2025-06", "closed", row, "answer")
    return (found.verdict == "unjudged") == (row["error"] == "n/a")


def _free(row: Golden) -> bool:
    try:
        found = open_ended(row["answer"], row["response"], strip=row["pipeline"] != "slake")
    except CrashError as error:
        return row["upstream"] is None and str(error) == row["error"]
    if row["upstream"] is None:
        return False
    return all(
        abs(found[name] - float(value)) <= 1e-12 * abs(float(value))
        for name, value in row["upstream"].items()
    )


def _judge(row: Golden) -> bool:
    found = read_verdict(row["judge_output"])
    return (found, found == RIGHT) == (row["extracted"], row["counted_correct"])


def _prompt(row: Golden) -> bool:
    kind = KINDS[row["kind"]]
    think = ".think" if row.get("reasoning") else ""
    chinese = ".zh" if row.get("lang") == "zh" else ""
    template = prompts.template(f"{kind}{think}{chinese}")
    question = "Q? <image 1>" if kind.startswith("mmmu") else "Q?"
    options = "(A) x\n(B) y\n" if kind == "mmmu-choice" else "A. x\nB. y"
    fields = {"question": question, "options": options}
    if kind == "judge":
        fields = {"question": "QQ", "answer": "AA", "response": "RR"}
    text = template.substitute(fields)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return text == row["prompt"] and row.get("sha256", sha256) == sha256


def _radcliq(row: Golden) -> bool:
    names = ("radgraph_combined", "bertscore", "semb_score", "bleu2")
    features = [row[name] for name in names]
    return (
        abs(V0(features) - row["radcliq_v0"]) <= 1e-12
        and abs(V1(features) - row["radcliq_v1"]) <= 1e-12
    )


FILES: dict[str, Callable[[Golden], bool]] = {
    "mcq.jsonl": _mcq("official"),
    "mcq_june2025.jsonl": _mcq("official-2025-06"),
    "mmmu_mcq.jsonl": _mmmu_choice,
    "mmmu_open.jsonl": _mmmu_open,
    "yesno.jsonl": _yes_no,
    "slake_close.jsonl": _slake,
    "slake_close_june2025.jsonl": _slake_june,
    "open_ended.jsonl": _free,
    "judge_tag.jsonl": _judge,
    "prompts.jsonl": _prompt,
    "radcliq_golden.jsonl": _radcliq,
}


def _radgraph(path: Path) -> tuple[int, int]:
    golden = json.loads(path.read_text(encoding="utf-8"))
    agree = 0
    for score in golden["scores"]:
        pair = (golden[side][score["study"]]["entities"] for side in ("pred", "gt"))
        found = overlap(*pair)
        got = (found.entity, found.relation, found.combined)
        want = (score["entity_f1"], score["relation_f1"], score["combined"])
        agree += all(abs(a - b) < 1e-12 for a, b in zip(got, want, strict=True))
    return agree, len(golden["scores"])


def _strict(path: Path) -> dict[str, int]:
    """Returns how the strict profile reads the committed and the uncommitted responses."""
    letters = set("ABCDEFGHIJ")
    found = {"committed": 0, "read as intended": 0, "uncommitted": 0, "credited": 0}
    for row in _rows(path):
        parsed = _graded("strict", "choice", row).parsed
        if row["intended"] in letters:
            found["committed"] += 1
            found["read as intended"] += parsed == row["intended"]
        elif row["intended"] is None:
            found["uncommitted"] += 1
            found["credited"] += parsed is not None
    return found


def main() -> None:
    """Prints the table and writes it beside this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--golden", type=Path)
    folder = parser.parse_args().golden
    if folder is None:
        print("nothing compared: --golden names the folder with the recorded outputs")
        return
    table: dict[str, dict[str, int]] = {}
    for name, agrees in FILES.items():
        verdicts = [agrees(row) for row in _rows(folder / name)]
        table[name] = {"rows": len(verdicts), "agree": sum(verdicts)}
    agree, count = _radgraph(folder / "radgraph_f1_golden.json")
    table["radgraph_f1_golden.json"] = {"rows": count, "agree": agree}
    for name, counts in table.items():
        print(f"{name:30} {counts['agree']:5} of {counts['rows']:5} agree")
    bar = _strict(folder / "mcq.jsonl")
    share = bar["read as intended"] / bar["committed"]
    print(
        f"strict: {bar['read as intended']} of {bar['committed']} committed ({share:.2%}) as meant"
    )
    print(f"strict: {bar['credited']} of {bar['uncommitted']} uncommitted credited with a letter")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"files": table, "strict": bar}, indent=1) + "\n")


if __name__ == "__main__":
    main()
