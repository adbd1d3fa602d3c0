"""An OpenAI-compatible endpoint on this machine, whose replies and faults a test decides."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint:
    """Counts requests and answers with what `reply` returns: a text, or an HTTP status."""

    def __init__(self, reply: Callable[[str], str | int]) -> None:
        self.reply = reply
        self.prompts: list[str] = []
        self.server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                prompt = body["messages"][-1]["content"]
                endpoint.prompts.append(prompt)
                found = endpoint.reply(prompt)
                status = found if isinstance(found, int) else 200
                message = {"role": "assistant", "content": found}
                reply = {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 0,
                    "model": body["model"],
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
                }
                data = json.dumps(reply if status == 200 else {"error": {"message": "no"}}).encode()
                self._send(status, data)

            def do_GET(self) -> None:
                """Says which models there are; of all else that is asked for, the same."""
                models = {"object": "list", "data": [{"id": "m", "object": "model"}]}
                self._send(200, json.dumps(models).encode())

            def _send(self, status: int, data: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def serving(reply: Callable[[str], str | int]) -> Iterator[Endpoint]:
    """Runs an endpoint for the time of a block."""
    endpoint = Endpoint(reply)
    endpoint.start()
    try:
        yield endpoint
    finally:
        endpoint.stop()
