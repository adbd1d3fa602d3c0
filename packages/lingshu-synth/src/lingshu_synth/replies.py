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


def parse(raw: bytes) -> Any:
    """Returns the JSON of an answer's body; None where it is none, or not whole."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def is_completion(data: Any) -> bool:
    """Says whether the body of an answer is a completion and not something else."""
    return isinstance(data, dict) and isinstance(data.get("choices"), list)


def read_reply(key: str, stored: Stored) -> Reply:
    """Returns what a stored reply says; see `reply_of`."""
    return reply_of(key, stored.status, parse(stored.raw), stored.endpoint)


def reply_of(key: str, status: int, data: Any, endpoint: str) -> Reply:
    """Returns what a reply says.

    Refusals (the field for them, or words that begin like one), replies cut off by their greatest
    length, filtered ones and errors are told apart by `finish`.

    Args:
        key: Of the call.
        status: HTTP status of the answer.
        data: Its body, parsed.
        endpoint: Kind of the endpoint.
    """
    if not 200 <= status < 300:
        return _error(key, endpoint, error_text(data, status), data)
    choice = data["choices"][0] if is_completion(data) and data["choices"] else None
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return _error(key, endpoint, "the reply holds no message", data)
    text, finish = _said(choice)
    prompt, completion = usage_of(data)
    return Reply(
        key=key,
        text=text,
        finish=finish,
        prompt_tokens=prompt,
        completion_tokens=completion,
        endpoint=endpoint,
    )


def is_refusal(text: str) -> bool:
    """Says whether a text begins by declining to answer."""
    return _REFUSAL.match(text[:400].replace("\u2019", "'")) is not None


def usage_of(data: Any) -> tuple[int | None, int | None]:
    """Returns the tokens of prompt and reply as the endpoint counted them."""
    found = data.get("usage") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        return None, None
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens")
    return (
        prompt if isinstance(prompt, int) else None,
        completion if isinstance(completion, int) else None,
    )


def error_text(data: Any, status: int) -> str:
    """Returns what an endpoint says is wrong, in a line; status 0 is the line itself."""
    error = data.get("error", data) if isinstance(data, dict) else data
    message = error.get("message", error) if isinstance(error, dict) else error
    told = " ".join(str(message).split())[:_LONGEST]
    return told if status == 0 else f"status {status}: {told}"


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


def _error(key: str, endpoint: str, message: str, data: Any) -> Reply:
    error = data.get("error") if isinstance(data, dict) else None
    # Azure answers a filtered prompt with status 400.
    filtered = isinstance(error, dict) and error.get("code") == "content_filter"
    finish: Finish = "content_filter" if filtered else "error"
    return Reply(key=key, text="", finish=finish, error=message, endpoint=endpoint)
