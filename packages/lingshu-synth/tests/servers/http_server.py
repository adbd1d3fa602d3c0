"""A small HTTP/1.1 server for tests and benches, on the standard library alone."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Response:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    said_length: int | None = None
    """A length other than the real one cuts the body."""
    pause: float = 0.0
    """Seconds between two pieces of the body, which then goes out slowly."""
    drop: bool = False
    """Whether the connection ends without a word."""


def reply(value, status=200, **headers) -> Response:
    return Response(json.dumps(value).encode(), status, headers)


Handler = Callable[[Request], Awaitable[Response]]


class _Connection(asyncio.Protocol):
    """Reads requests off one connection and answers them in order."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._data = b""
        self._tasks: set[asyncio.Task] = set()

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (request := self._take()) is not None:
            task = asyncio.ensure_future(self._answer(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self) -> Request | None:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body, used = _chunked(rest)
            if used is None:
                return None
        else:
            used = int(headers.get("content-length", 0))
            if len(rest) < used:
                return None
            body = rest[:used]
        self._data = rest[used:]
        method, target, _ = first.split(" ", 2)
        parts = urlsplit(target)
        return Request(method, parts.path, parse_qs(parts.query), headers, body)

    async def _answer(self, request: Request) -> None:
        try:
            response = await self._handler(request)
        except Exception as error:
            response = reply({"error": {"message": f"{type(error).__name__}: {error}"}}, 500)
        if self._transport.is_closing():
            return
        if response.drop:
            self._transport.abort()
            return
        length = len(response.body) if response.said_length is None else response.said_length
        headers = {"content-type": response.kind, "content-length": str(length)}
        lines = "".join(
            f"{k.replace('_', '-')}: {v}\r\n" for k, v in {**headers, **response.headers}.items()
        )
        head = f"HTTP/1.1 {response.status} X\r\n{lines}\r\n".encode()
        if response.pause:
            self._transport.write(head)
            for start in range(0, len(response.body), 64):
                await asyncio.sleep(response.pause)
                self._transport.write(response.body[start : start + 64])
        else:
            self._transport.write(head + response.body)
        if length != len(response.body) or request.headers.get("connection") == "close":
            self._transport.close()


def _chunked(rest: bytes) -> tuple[bytes, int | None]:
    body, place = b"", 0
    while True:
        end = rest.find(b"\r\n", place)
        if end < 0:
            return b"", None
        size = int(rest[place:end], 16)
        if len(rest) < end + 2 + size + 2:
            return b"", None
        body += rest[end + 2 : end + 2 + size]
        place = end + 2 + size + 2
        if size == 0:
            return body, place


def run(handler: Handler, port: int) -> None:
    """Serves until killed; prints the port first."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Connection(handler), "127.0.0.1", port, backlog=2048
        )
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
    sys.exit(0)
