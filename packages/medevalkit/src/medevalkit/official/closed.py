"""The official kit's reading of yes/no and other closed answers."""

from medevalkit.official.marks import trimmed


def yes_or_no(gold: str, response: str) -> bool:
    """Says whether an answer is right: it holds one of "yes" and "no", and that is the gold.

    Parts of words count: there is a "no" in normal, cannot and diagnosis.
    """
    said = trimmed(response.strip()).strip().replace(".", "").replace("\n", "")
    return ("yes" in said) != ("no" in said) and gold.lower() in said


def yes_or_no_june(gold: str, response: str) -> bool:
    """The same in June 2025: the first sentence is the gold and nothing else."""
    return response.lower().strip().split(".")[0] == gold.lower()


def close_ended(gold: str, response: str) -> bool:
    """Says whether a closed answer is the gold; spaces and Chinese full stops are in the way."""
    said = trimmed(response).replace(".", "").replace("\n", "")
    return said == gold.lower()


def slake_closed(gold: str, response: str) -> bool:
    """Says whether a closed answer of SLAKE is right, by the rule that its gold falls under.

    Only golds in lower case count as yes or no, and SLAKE writes them with a capital.
    """
    rule = yes_or_no if gold in {"yes", "no"} else close_ended
    return rule(gold, response)
