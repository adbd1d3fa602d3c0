"""How the official kit cuts an answer out of a response."""

import re

_CUES = (
    *("**answer**:", "**answer**", "*answer*:", "**answer:**"),
    *("answer is", "answer:", "\u7b54\u6848:", "final answer", "final answer is"),
)
_OPENING = "\\boxed{"
NO_BOX = "None"
"""What it makes of a response that mentions a box and holds none."""


class CrashError(Exception):
    """The official kit ends here, after all inference, with the error of the message."""


def answer_tags(text: str) -> str:
    """Returns the contents of all `<answer>` tags joined by spaces, or else the whole text."""
    found: list[str] = re.findall(r"<answer>(.*?)</answer>", text, re.DOTALL)
    return " ".join(found) if found else text


def last_box(text: str) -> str:
    r"""Returns what the last `\boxed{}` holds, or the word `None`."""
    begin = text.rfind(_OPENING)
    if begin < 0:
        return NO_BOX
    depth = 1
    for end in range(begin + len(_OPENING), len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[begin + len(_OPENING) : end]
    return NO_BOX


def opened(text: str) -> str:
    """Returns what stands in the last box, else in the answer tags.

    The mere word "boxed", as in a boxed warning, counts as a box that holds nothing.
    """
    if "boxed" in text:
        return last_box(text)
    return answer_tags(text) if "<answer>" in text else text


def after_cues(text: str) -> str:
    """Returns what follows the last of each announcement, taken one after the other."""
    for cue in _CUES:
        text = text.rpartition(cue)[2]
    return text


def trimmed(response: str) -> str:
    """Returns a response in lower case with its marks opened and its announcements cut off."""
    return after_cues(opened(response.lower()).lower())
