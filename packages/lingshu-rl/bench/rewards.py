"""How often each reward errs, on answers written before the checker could be run.

python packages/lingshu-rl/bench/rewards.py
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))


def main() -> None:
    """Prints the table of the README and writes it as JSON."""
    from rl_batteries import first_sight, samples, sittings

    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0])
    for sample in samples():
        for kind in (sample.kind, "all"):
            row = counts[sample.reward, kind]
            place = 0 if sample.battery == "adversarial" else 4 if sample.right else 2
            row[place] += 1
            row[place + 1] += sample.errs()
    rows: list[dict[str, object]] = []
    heads = ("adversarial", "accepted", "ordinary wrong", "accepted", "ordinary right", "refused")
    print("| " + " | ".join(("reward", "gold", *heads)) + " |")
    print("|---" * 8 + "|")
    for (reward, kind), row in sorted(counts.items()):
        rows.append({"reward": reward, "kind": kind, "counts": row})
        share = f"{row[5]} ({row[5] / row[4]:.1%})" if row[4] else "0"
        cells = (reward, kind, *row[:5], share)
        print("| " + " | ".join(map(str, cells)) + " |")
    for sitting in sittings():
        rows.append(sitting)
        print(f"{sitting['said']}: {sitting['first']}")
    seen = list(first_sight())
    for right, what in ((False, "wrong, accepted"), (True, "right, refused")):
        errs = [sample.errs() for sample in seen if sample.right is right]
        rows.append({"all of these now": what, "counts": [len(errs), sum(errs)]})
        print(f"all of these now {what}: {sum(errs)} of {len(errs)}")
    (HERE / "results" / "rewards.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
