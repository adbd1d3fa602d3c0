"""The official kit's numbers for open answers, without a judge."""

from collections.abc import Sequence

from medevalkit.official.marks import CrashError, answer_tags, last_box
from medevalkit.official.rouge import rouge


def open_ended(gold: str, response: str, *, strip: bool = True) -> dict[str, float]:
    """Returns `em` (0 or 1), BLEU-1 to 4, ROUGE-1, 2 and L, and three names for the token overlap.

    The names of the last three are rotated, as the kit has it: `precision` holds F1, `recall`
    holds precision and `f1` holds recall.

    Args:
        gold: The reference.
        response: What the model said.
        strip: Whether white space around the answer is dropped (all but SLAKE).

    Raises:
        CrashError: A text is empty; the kit ends there, after all inference.
    """
    wanted, said = gold.lower(), _answer(response).lower()
    if strip:
        wanted, said = wanted.strip(), said.strip()
    rouges = rouge(said, wanted)
    precision, recall, f1 = _tokens(said.split(), wanted.split())
    return {
        "em": float(said == wanted),
        **{f"bleu{n}": _bleu(said, wanted, n) for n in (1, 2, 3, 4)},
        **rouges,
        "precision": f1,
        "recall": precision,
        "f1": recall,
    }


def _answer(response: str) -> str:
    return last_box(response) if "boxed" in response else answer_tags(response)


def _bleu(said: str, wanted: str, order: int) -> float:
    import warnings

    from nltk.translate.bleu_score import sentence_bleu

    with warnings.catch_warnings():
        # It warns of every short answer that no long sequence of words is shared.
        warnings.simplefilter("ignore", UserWarning)
        return float(sentence_bleu([_spaced(wanted)], _spaced(said), [1 / order] * order))


def _spaced(text: str) -> list[str]:
    return text.replace(".", " .").split(" ")


def _tokens(said: Sequence[str], wanted: Sequence[str]) -> tuple[float, float, float]:
    if not said or not wanted:
        raise CrashError("TypeError: cannot unpack non-iterable int object")
    ours, theirs = set(said), set(wanted)
    common = len(ours & theirs)
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / len(ours), common / len(theirs)
    return precision, recall, 2 * precision * recall / (precision + recall)
