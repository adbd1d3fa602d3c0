"""Raw replies as they are read: what was said, how it ended, whether it was refused.

Nothing here touches the network or the journal, so that a mended reader reads old replies anew.
"""

import json
import re
from typing import Any

from lingshu_synth.call import Finish, Reply
from lingshu_synth.journal import Stored

_DEED = r"(?:assist|help|provide|analy[sz]e|comply|fulfil|answer|interpret|describe|identify)"
_UNABLE = r"(?:can't|cannot|can not|unable|not able|won't|will not)"
_REFUSAL = re.compile(
    r"^\W*(?:"
    r"(?:(?:i'm|i am) (?:\w+ )?sorry|sorry|apologies|i apologi[sz]e|unfortunately)\b"
    rf".{{0,80}}?{_UNABLE}\b"
    rf"|(?:i|we) (?:{_UNABLE}|must decline to|have to decline to) (?:\w+ ){{0,2}}?{_DEED}\b"
    rf"|(?:i'm|i am|we're|we are) (?:unable|not able) to {_DEED}\b"
    rf"|as an? (?:ai|artificial intelligence|(?:\w+ )?language model)\b.{{0,80}}?{_UNABLE}\b"
    r"|(?:很?抱歉|对不起).{0,20}?(?:无法|不能)|我(?:无法|不能)(?:提供|协助|帮助|回答|分析)"
    r")",
    re.I | re.S,
)  # fmt: skip

_LONGEST = 300

_FINISH: dict[str | None, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    None: "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


def read_reply(key: str, stored: Stored) -> Reply:
    """Returns what a stored reply says.

    Refusals (the field for them, or words that begin like one), replies cut off by their greatest
    length, filtered ones and errors are told apart by `finish`.
    """
    try:
        data = json.loads(stored.raw)
    except ValueError:
        return _error(key, stored, "the reply is no JSON")
    if not isinstance(data, dict):
        return _error(key, stored, "the reply is no JSON object")
    if not 200 <= stored.status < 300:
        return _error(key, stored, error_text(stored.raw, stored.status))
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return _error(key, stored, "the reply holds no message")
    text, finish = _said(choice)
    prompt, completion = _usage(data)
    return Reply(
        key=key,
        text=text,
        finish=finish,
        prompt_tokens=prompt,
        completion_tokens=completion,
        endpoint=stored.endpoint,
    )


def is_refusal(text: str) -> bool:
    """Says whether a text begins by declining to answer."""
    return _REFUSAL.match(text[:400].replace("\u2019", "'")) is not None


def is_whole(raw: bytes) -> bool:
    """Says whether the body of a good answer is a completion, not cut and not something else."""
    try:
        data = json.loads(raw)
    except ValueError:
        return False
    return isinstance(data, dict) and isinstance(data.get("choices"), list)


def usage_of(raw: bytes) -> tuple[int | None, int | None]:
    """Returns the tokens of prompt and reply as the endpoint counted them."""
    try:
        data = json.loads(raw)
    except ValueError:
        return None, None
    return _usage(data) if isinstance(data, dict) else (None, None)


def error_text(raw: bytes, status: int) -> str:
    """Returns what an endpoint says is wrong, in a line; status 0 is the line itself."""
    text = raw.decode(errors="replace").strip()
    try:
        data = json.loads(text)
    except ValueError:
        data = text
    error = data.get("error", data) if isinstance(data, dict) else data
    message = error.get("message", error) if isinstance(error, dict) else error
    told = " ".join(str(message).split())[:_LONGEST]
    return told if status == 0 else f"status {status}: {told}"


def _usage(data: dict[str, Any]) -> tuple[int | None, int | None]:
    found = data.get("usage")
    if not isinstance(found, dict):
        return None, None
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens")
    return (
        prompt if isinstance(prompt, int) else None,
        completion if isinstance(completion, int) else None,
    )


def _said(choice: dict[str, Any]) -> tuple[str, Finish]:
    message = choice["message"]
    refusal, content = message.get("refusal"), message.get("content")
    text = content if isinstance(content, str) else _parts(content)
    if isinstance(refusal, str) and refusal.strip():
        return refusal, "refusal"
    finish = _FINISH.get(choice.get("finish_reason"), "stop")
    if finish == "stop" and is_refusal(text):
        return text, "refusal"
    return text, finish


def _parts(content: Any) -> str:
    if not isinstance(content, list):
        return ""
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def _error(key: str, stored: Stored, message: str) -> Reply:
    # Azure answers a filtered prompt with status 400.
    finish: Finish = "content_filter" if b'"content_filter"' in stored.raw else "error"
    return Reply(key=key, text="", finish=finish, error=message, endpoint=stored.endpoint)
