r"""The marks with which a response commits: thinking, `<answer>`, `\boxed`, JSON."""

import json
import re
from dataclasses import dataclass

# Begins with a literal sign: the search for it is many times faster so.
_THINKING = re.compile(
    r"<(?:\s{0,9}(/?)\s{0,9}(?:think(?:ing)?|thoughts?|reasoning|scratchpad|reflection)\s{0,9}>"
    r"|\|(?:begin|(end))_of_thought\|>)",
    re.I,
)
_FINAL_CHANNEL = re.compile(r"<\|channel\|>final(?:\s[^<]{0,40})?<\|message\|>")
_ANSWER = re.compile(r"<\s{0,9}(/?)\s{0,9}(?:final[ _-]?)?ans(?:wer)?\s{0,9}>", re.I)
_BOX_OPENS = re.compile(
    r"((?:\\|\x08)?b?oxed\s{0,20}\{|\\f(?:rame)?box\s{0,20}\{)|(<\|begin_of_box\|>)"
    r"|\\boxed\s{1,20}(?=[A-Za-z0-9])"
)
_BRACE = re.compile(r"\\[{}]|[{}]")
_END_OF_BOX = "<|end_of_box|>"
_LINK = re.compile(r"[\s$]*(?:or|and|and/or|,|/|&|或|和|、)[\s$]*")
_JSON_ANSWER = re.compile(
    r"[\"'](?:final[ _]?|correct[ _]?|predicted[ _]?|selected[ _]?|model[ _]?|my[ _]?)?"
    r"(?:answer|choice|option|letter|prediction|selection|ans|label|result|response|output"
    r"|diagnosis|answer[ _](?:letter|choice|option)|答案)"
    r"[\"']\s{0,20}[:\uff1a]\s{0,20}",
    re.I,
)
_BARE_VALUE = re.compile(r"'([^'\n]{0,2000})'|([^,}\n]{0,2000})")
_DECODER = json.JSONDecoder()
_TAKEN_BACK = re.compile(
    r"(?:\b(?:wait|actually|correction|on (?:second thought|reflection)|reconsider\w*|scratch that"
    r"|(?:made a mistake|was wrong)|let me correct|sorry|revis\w+)\b|更正|不对|等等|重新考虑|修正"
    r"|纠正)[\s\S]{0,200}?(?:\b(?:answer|choice|option)\b[^.\n]{0,60}?(?:\bis\b|\bbe\b|[:=])|答案)",
    re.I,
)
_FORMAT = re.compile(
    r"<think>((?:(?!<\s{0,9}/?\s{0,9}(?:think|answer)\b)[\s\S])*)</think>\s*"
    r"<answer>((?:(?!<\s{0,9}/?\s{0,9}(?:think|answer)\b)[\s\S])*)</answer>",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Format:
    """The two parts of a response in the form that the format reward asks for."""

    think: str
    """What stands between the thinking tags; never blank."""
    answer: str
    """What stands between the answer tags; never blank."""


def read_format(response: str) -> Format | None:
    """Returns the parts of `<think>…</think><answer>…</answer>`, or None for anything else.

    White space may stand between the two, nothing else, and nothing at all before or after. Tags
    are lower-case and stand once each; neither part is blank. A `<` that opens no such tag is
    text: `WBC < 4`.
    """
    if not response.startswith("<think>") or not response.endswith("</answer>"):
        return None
    found = _FORMAT.fullmatch(response)
    if found is None or "</think>" not in response or "<answer>" not in response:
        return None
    think, answer = found.groups()
    return Format(think, answer) if think.strip() and answer.strip() else None


def without_thinking(response: str) -> tuple[str, str]:
    """Returns what a response says outside its thinking, and a reason where that is nothing.

    Reasons: `empty`; `unclosed_think` (a thought that never ends commits to nothing); else "".
    A close without an open ends a thought that the prompt began.
    """
    if "<" not in response and "◁" not in response:
        return (response, "") if response.strip() else ("", "empty")
    response = response.replace("◁think▷", "<think>").replace("◁/think▷", "</think>")
    channels = list(_FINAL_CHANNEL.finditer(response))
    if channels:
        response = response[channels[-1].end() :]
    outside: list[str] = []
    thinking, since = False, 0
    for tag in _THINKING.finditer(response):
        if tag[1] or tag[2]:
            if not thinking:
                outside.clear()
            thinking, since = False, tag.end()
        elif not thinking:
            outside.append(response[since : tag.start()])
            thinking = True
    if thinking:
        return "", "unclosed_think"
    text = " ".join((*outside, response[since:]))
    return (text, "") if text.strip() else ("", "empty")


def marked(response: str, *, json_too: bool = True) -> tuple[str, str]:
    r"""Returns the committed part of a response by its marks alone, and which mark it was.

    The last of `<answer>` (an unclosed one reaches to the end), `\boxed{}` and a JSON answer
    counts (`answer_tag`, `boxed`, `json`), marks inside marks are opened; without any it is the
    whole text outside the thinking (`whole`). What follows the mark counts instead where it takes
    the answer back in so many words. Nothing committed: `empty` or `unclosed_think`.
    """
    text, reason = without_thinking(response)
    if reason:
        return "", reason
    how = "whole"
    for _ in range(4):
        found = _last_mark(text, json_too)
        if found is None:
            break
        inner, mark, end = found
        if how == "whole" and _TAKEN_BACK.search(text[end : end + 600]):
            return text[end:], how
        text = inner
        how = mark if how == "whole" else how
    return (text, how) if text.strip() else ("", "empty")


def _last_mark(text: str, json_too: bool) -> tuple[str, str, int] | None:
    """Returns content, kind and end of the last mark of a text."""
    places = [_answer_tag(text), _boxed(text), _json_answer(text) if json_too else None]
    found = [place for place in places if place is not None]
    if not found:
        return None
    _, content, kind, end = max(found)
    return content, kind, end


def _answer_tag(text: str) -> tuple[int, str, str, int] | None:
    if "<" not in text:
        return None
    tags = list(_ANSWER.finditer(text))
    opens = [i for i, tag in enumerate(tags) if not tag[1]]
    if opens:
        content, start, end = "", 0, len(text)
        for i in reversed(opens[-4:]):
            stop = tags[i + 1] if i + 1 < len(tags) else None
            inside = text[tags[i].end() : stop.start() if stop else len(text)]
            after = stop.end() if stop else len(text)
            if content and not _LINK.fullmatch(text[after:start]):
                break
            end = end if content else after
            content, start = (
                inside + (text[after:start] if content else "") + content,
                tags[i].start(),
            )
        return start, content, "answer_tag", end
    if tags:
        return 0, text[: tags[0].start()], "answer_tag", tags[0].end()
    return None


def _boxed(text: str) -> tuple[int, str, str, int] | None:
    """Finds the last box that holds something; boxes joined by a word count as one."""
    if "ox" not in text:
        return None
    content, first, end = "", 0, 0
    for opening in reversed(list(_BOX_OPENS.finditer(text))[-4:]):
        inside, after = _box(text, opening)
        if not inside.strip():
            break
        if content and not _LINK.fullmatch(text[after:first]):
            break
        link = text[after:first] if content else ""
        end = end or after
        content, first = inside + link + content, opening.start()
    return (first, content, "boxed", end) if content else None


def _box(text: str, opening: re.Match[str]) -> tuple[str, int]:
    """Returns what a box holds and where it ends; one left open ends with the text."""
    inside = opening.end()
    if opening[2]:
        stop = text.find(_END_OF_BOX, inside)
        return (
            (text[inside:], len(text)) if stop < 0 else (text[inside:stop], stop + len(_END_OF_BOX))
        )
    if not opening[1]:
        return text[inside], inside + 1
    depth = 1
    for brace in _BRACE.finditer(text, inside):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[inside : brace.start()], brace.end()
    return text[inside:], len(text)


def _json_answer(text: str) -> tuple[int, str, str, int] | None:
    if (":" not in text and "\uff1a" not in text) or ('"' not in text and "'" not in text):
        return None
    keys = list(_JSON_ANSWER.finditer(text))
    if not keys:
        return None
    last = keys[-1]
    value, end = _json_value(text, last.end())
    return last.end(), value, "json", end


def _json_value(text: str, start: int) -> tuple[str, int]:
    """Returns the answer that a JSON value holds, and its end; broken JSON is read as text."""
    try:
        value, size = _DECODER.raw_decode(text[start : start + 8000])
        return _json_text(value), start + size
    except (ValueError, RecursionError):
        found = _BARE_VALUE.match(text, start)
        raw = (found[1] or found[2] or "") if found else ""
        return raw.strip("[]\"' "), found.end() if found else start


def _json_text(value: object) -> str:
    """Returns lists joined by commas and objects by their values, in their order."""
    if isinstance(value, list):
        return ", ".join(_json_text(item) for item in value)
    if isinstance(value, dict):
        return ". ".join(_json_text(item) for item in value.values())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
