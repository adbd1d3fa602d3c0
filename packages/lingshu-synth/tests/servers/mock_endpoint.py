"""An endpoint that answers like a model, counts every call it would bill, and can be limited.

    python mock_endpoint.py --latency 0.05 --limit 20

`GET /admin/stats` tells what was billed; `POST /admin/reset` forgets it. Words in a prompt steer
the answer: `STATUS-400` is answered with that status, `SAY[…]` with what stands between the
brackets, `REFUSE`, `FILTER` and `CUT` with what they say.
"""

import argparse
import asyncio
import hashlib
import json
import re
import time
from collections import Counter, deque

from http_server import Request, Response, reply, run

_STATUS = re.compile(r"STATUS-(\d{3})")
_SAY = re.compile(r"SAY\[(.*?)\]YAS", re.S)
_DATA = re.compile(r"<data (\w+)>\n(.*?)\n</data \1>", re.S)
_WORDS = [
    "the",
    "picture",
    "shows",
    "soft",
    "tissue",
    "with",
    "even",
    "texture",
    "and",
    "clear",
    "margins",
    "around",
    "a",
    "small",
    "dense",
    "focus",
    "near",
    "the",
    "middle",
    "without",
    "displacement",
    "of",
    "neighbouring",
    "structures",
    "and",
    "with",
    "regular",
    "outlines",
]


def text_of(body) -> str:
    parts = []
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            parts.append(content)
        else:
            parts += [part.get("text", "") for part in content]
    return "\n".join(parts)


def words(seed: str, count: int) -> str:
    number = int(hashlib.sha256(seed.encode()).hexdigest()[:12], 16)
    return " ".join(_WORDS[(number + 7 * i * (1 + number % 5)) % len(_WORDS)] for i in range(count))


def answer(body) -> tuple[str, str]:
    """Returns what a model would say, and how it ends."""
    text = text_of(body)
    if "REFUSE" in text:
        return "I'm sorry, but I can't assist with that request.", "stop"
    if "FILTER" in text:
        return "", "content_filter"
    if "CUT" in text:
        return '{"caption": "it begins well and', "length"
    said = _SAY.search(text)
    if said:
        return said[1], "stop"
    return json_answer(body, text) or plain_answer(text), "stop"


def json_answer(body, text: str) -> str | None:
    form = body.get("response_format", {}).get("json_schema", {}).get("name", "")
    data = [match[2] for match in _DATA.finditer(text)]
    if form == "told" or '"caption" field' in text:
        return json.dumps({"caption": f"A picture. {words(text, 60)}."})
    if form == "solution" or '{"reasoning":' in text:
        known = re.search(r"ANSWER=(\w+)", text)
        letters = re.findall(r"^([A-Z])\. ", text, re.M)
        guesses = letters and "ground-truth" not in text
        guessed = letters[len(text) % len(letters)] if guesses else data[-1]
        gold = known[1] if known else guessed
        return json.dumps({"reasoning": f"First, {words(text, 40)}.", "answer": gold})
    if '"wrong answers"' in text:
        value = {"question": "What is seen?", "answer": words(text, 3)}
        return json.dumps(
            value | {"wrong answers": [f"one {words(text, 3)}", f"two {words(text, 3)}"]}
        )
    return None


def plain_answer(text: str) -> str:
    if "Consistent." in text:
        return "Consistent. The reasoning ends in the same answer."
    if "Revised response:" in text:
        return (
            f"Revised response: Thank you for telling me. {words(text, 40)}. Please see a "
            "cardiologist; this is not a definitive diagnosis."
        )
    return words(text, 40)


class Endpoint:
    def __init__(self, options) -> None:
        self.options = options
        self.billed: Counter[str] = Counter()
        self.refused = 0
        self.open = 0
        self.most_open = 0
        self.stored: dict[str, dict] = {}
        self.passed: deque[float] = deque()
        self.files: dict[str, bytes] = {}
        self.named = 0
        self.batches: dict[str, dict] = {}
        self.seen_keys: set[str] = set()

    async def handle(self, request: Request) -> Response:
        self.seen_keys.add(request.headers.get("authorization", ""))
        path = request.path.removeprefix("/v1")
        if path == "/admin/stats":
            return reply(self.stats())
        if path == "/admin/reset":
            self.__init__(self.options)
            return reply({})
        if path == "/models":
            return reply({"object": "list", "data": [{"id": "mock", "object": "model"}]})
        if path == "/chat/completions":
            if request.method == "GET":
                return self.recall(request)
            return await self.complete(request)
        if path.startswith("/files"):
            return self.file(request, path)
        if path.startswith("/batches"):
            return await self.batch(request, path)
        return reply({"error": {"message": "no such address"}}, 404)

    def stats(self):
        return {
            "billed": sum(self.billed.values()),
            "different": len(self.billed),
            "repeated": sum(count - 1 for count in self.billed.values()),
            "refused": self.refused,
            "most_open": self.most_open,
            "open": self.open,
            "batches": len(self.batches),
            "files": len(self.files),
            "keys": sorted(self.seen_keys),
        }

    async def complete(self, request: Request) -> Response:
        if self.options.limit and not self.admit():
            self.refused += 1
            await asyncio.sleep(self.options.refusal_latency)
            return reply(
                {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}},
                429,
                **{"retry-after": str(self.options.retry_after)},
            )
        body = request.json()
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        # A model works on even where nobody waits for it any more, and its work is billed.
        self.bill(body)
        await asyncio.sleep(self.options.latency)
        self.open -= 1
        status, completion = self.completion(body)
        if status == 200 and body.get("store"):
            self.stored[body["metadata"]["lingshu_key"]] = completion
        return reply(completion, status, **self.limits())

    def completion(self, body):
        found = _STATUS.search(text_of(body))
        if found:
            status = int(found[1])
            return status, {"error": {"message": f"as asked for: {status}", "code": "asked"}}
        text, finish = answer(body)
        tokens = {"prompt_tokens": len(text_of(body)) // 4, "completion_tokens": len(text) // 4}
        digest = hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest()
        return 200, {
            "id": f"chatcmpl-{digest[:12]}",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": finish,
                }
            ],
            "usage": tokens | {"total_tokens": sum(tokens.values())},
        }

    def bill(self, body) -> None:
        kept = {k: v for k, v in body.items() if k not in ("store", "metadata")}
        self.billed[hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()] += 1

    def admit(self) -> bool:
        """A hard limit: never more than so many within any second."""
        now = time.monotonic()
        while self.passed and self.passed[0] <= now - 1.0:
            self.passed.popleft()
        if len(self.passed) >= self.options.limit:
            return False
        self.passed.append(now)
        return True

    def limits(self):
        if not self.options.tell_limit:
            return {}
        # As OpenAI tells them: by the minute, and when all that is used up has come back.
        a_minute, used = self.options.limit * 60, len(self.passed)
        return {
            "x-ratelimit-limit-requests": str(a_minute),
            "x-ratelimit-remaining-requests": str(a_minute - used),
            "x-ratelimit-reset-requests": f"{1000 * used // self.options.limit}ms",
        }

    def recall(self, request: Request) -> Response:
        key = request.query.get("metadata[lingshu_key]", [""])[0]
        found = [self.stored[key]] if key in self.stored else []
        return reply({"object": "list", "data": found, "has_more": False})

    def new_name(self) -> str:
        self.named += 1
        return f"file-{self.named}"

    def file(self, request: Request, path: str) -> Response:
        if request.method == "POST":
            name = self.new_name()
            boundary = request.headers["content-type"].partition("boundary=")[2].encode()
            for part in request.body.split(b"--" + boundary):
                head, _, content = part.partition(b"\r\n\r\n")
                if b'name="file"' in head:
                    self.files[name] = content.removesuffix(b"\r\n")
            return reply(file_object(name))
        _, _, name, *rest = path.split("/")
        if request.method == "DELETE":
            self.files.pop(name, None)
            return reply({"id": name, "object": "file", "deleted": True})
        if rest:
            return Response(self.files[name], kind="application/octet-stream")
        return reply(file_object(name))

    async def batch(self, request: Request, path: str) -> Response:
        if request.method == "POST" and path == "/batches":
            asked = request.json()
            name = f"batch-{len(self.batches)}"
            self.batches[name] = {
                "id": name,
                "object": "batch",
                "endpoint": asked["endpoint"],
                "input_file_id": asked["input_file_id"],
                "completion_window": "24h",
                "status": "in_progress",
                "created_at": int(time.time()),
                "metadata": asked.get("metadata"),
            }
            asyncio.get_running_loop().call_later(self.options.batch_time, self.work_off, name)
            return reply(self.batches[name])
        if path == "/batches":
            data = list(self.batches.values())[::-1]
            return reply({"object": "list", "data": data, "has_more": False})
        return reply(self.batches[path.split("/")[2]])

    def work_off(self, name: str) -> None:
        batch = self.batches[name]
        good, bad = [], []
        lines = self.files[batch["input_file_id"]].splitlines()
        undone = set()
        if self.options.expire and not any(b["status"] == "expired" for b in self.batches.values()):
            undone = set(range(len(lines) // 2, len(lines)))
        for number, text in enumerate(lines):
            line = json.loads(text)
            shown = {"id": f"r{number}", "custom_id": line["custom_id"]}
            if number in undone:
                error = {"code": "batch_expired", "message": "not in time"}
                bad.append({**shown, "response": None, "error": error})
                continue
            self.bill(line["body"])
            status, body = self.completion(line["body"])
            answered = {"status_code": status, "request_id": "q", "body": body}
            (good if status == 200 else bad).append({**shown, "response": answered, "error": None})
        for what, found in (("output_file_id", good), ("error_file_id", bad)):
            if found:
                batch[what] = self.new_name()
                self.files[batch[what]] = "".join(json.dumps(x) + "\n" for x in found).encode()
        batch["status"] = "expired" if undone else "completed"


def file_object(name: str):
    return {
        "id": name,
        "object": "file",
        "bytes": 1,
        "created_at": 1,
        "filename": name,
        "purpose": "batch",
        "status": "processed",
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--limit", type=int, default=0, help="calls a second")
    parser.add_argument("--retry-after", type=float, default=1)
    parser.add_argument("--refusal-latency", type=float, default=0.01)
    parser.add_argument("--tell-limit", action="store_true")
    parser.add_argument("--batch-time", type=float, default=0.2)
    parser.add_argument("--expire", action="store_true", help="half of the first batch")
    options = parser.parse_args()
    run(Endpoint(options).handle, options.port)


if __name__ == "__main__":
    main()
