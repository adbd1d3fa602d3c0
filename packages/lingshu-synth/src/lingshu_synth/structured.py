"""JSON out of what models write: taken out of fences and talk, mended where that is safe."""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

_FENCE = re.compile(r"```[a-zA-Z0-9]*\s*\n?(.*?)```", re.S)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_THINKING = re.compile(r"<think>.*?</think>", re.S)
_LITERALS = {"None": "null", "True": "true", "False": "false"}
_QUOTES = {0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'"}
_DEEPEST = 40


def read_json(model: type[T], text: str) -> T:
    """Returns the JSON object in a text as a model.

    Taken are, in this order: the text itself, what stands in a code fence, the first object in
    the text; each as it is, then with mended commas, quotes, raw line breaks and missing brackets
    at the end.

    Raises:
        ValueError: There is none, or it does not fit; the message says what is wrong, in words
            that can go back to the model.
    """
    fault = "there is no JSON object in it"
    for candidate in _candidates(_THINKING.sub("", text)):
        for mended in (candidate, _mend(candidate)):
            try:
                data = json.loads(mended, strict=False)
            except (ValueError, RecursionError):
                continue
            if not isinstance(data, dict):
                continue
            try:
                return model.model_validate(data)
            except ValidationError as error:
                fault = _told(error)
    raise ValueError(fault)


def _candidates(text: str) -> list[str]:
    found = [text.strip(), *(match.strip() for match in _FENCE.findall(text))]
    start = text.find("{")
    if start >= 0:
        found.append(_object(text[start:]))
    return found


def _object(text: str) -> str:
    """Returns the first JSON object of a text that begins with one, up to its closing bracket."""
    depth, inside, escaped = 0, False, False
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = inside
        elif letter == '"':
            inside = not inside
        elif not inside and letter in "{[":
            depth += 1
        elif not inside and letter in "}]":
            depth -= 1
            if depth == 0:
                return text[: place + 1]
    return text


def _mend(text: str) -> str:
    text = text.translate(_QUOTES)
    for word, literal in _LITERALS.items():
        text = re.sub(rf"(?<=[:\[,\s]){word}(?=[,\]}}\s])", literal, text)
    if '"' not in text and "'" in text:
        text = text.replace("'", '"')
    text = _TRAILING_COMMA.sub(r"\1", text)
    return text + _missing(text)


def _missing(text: str) -> str:
    """Returns the brackets that a text cut after a whole value lacks; nothing where more is cut."""
    stack: list[str] = []
    inside, escaped = False, False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = inside
        elif letter == '"':
            inside = not inside
        elif not inside and letter in "{[":
            stack.append("}" if letter == "{" else "]")
        elif not inside and letter in "}]" and stack:
            stack.pop()
    # A text that ends inside a string lost words: it is asked for again, not made up.
    return "" if inside or len(stack) > _DEEPEST else "".join(reversed(stack))


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Returns the JSON Schema of a model in the strict form that endpoints ask for."""
    schema = model.model_json_schema(by_alias=True)
    return {"name": model.__name__.lower(), "schema": _strict(schema), "strict": True}


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _strict(value)
        for key, value in node.items()
        if key not in {"title", "default", "description"} or key == "properties"
    }
    if kept.get("type") == "object":
        kept["additionalProperties"] = False
        kept["required"] = list(kept.get("properties", {}))
    return kept
