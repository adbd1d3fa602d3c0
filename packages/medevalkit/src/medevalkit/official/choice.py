"""The official kit's reading of a multiple-choice answer: it always finds a letter."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from medevalkit.official.marks import after_cues, answer_tags, opened


def read_letter(
    choices: Sequence[str], gold: str, response: str, *, june: bool = False, tags: bool = True
) -> tuple[str, str]:
    """Returns the letter that a response is credited with, and the rule that found it.

    Args:
        choices: The options as the prompt shows them, labels and all.
        gold: The gold letter.
        response: What the model said.
        june: Whether marks are opened before paragraphs are looked at, as in June 2025.
        tags: Whether the benchmark cuts out the answer tags beforehand.

    Returns:
        A capital letter, and `letter`, `text` or `likeness`; the last is a guess by
        `SequenceMatcher` over the labelled options, and of an empty answer always the first.
    """
    letters = [chr(ord("a") + place) for place in range(len(choices))]
    texts = [choice.lower() for choice in choices]
    text = (answer_tags(response) if tags else response).lower()
    text = opened(text).lower() if june else text
    text = _lone_paragraph(text, letters)
    text = text if june else opened(text).lower()
    text = after_cues(text).strip().replace("\n", "")
    said = text.split(".")[0].split(":")[-1]
    if said == gold.lower() or said in letters:
        return said.upper(), "letter"
    if said in texts:
        return letters[texts.index(said)].upper(), "text"
    # The first of equals wins; the guess looks at the text before it was cut.
    likeness = [SequenceMatcher(None, choice, text).ratio() for choice in texts]
    return letters[likeness.index(max(likeness))].upper(), "likeness"


def _lone_paragraph(text: str, letters: Sequence[str]) -> str:
    paragraphs = text.split("\n\n")
    last = paragraphs[-1].split(".")[0]
    if paragraphs[0] in letters:
        return paragraphs[0]
    return last if last in letters else text
