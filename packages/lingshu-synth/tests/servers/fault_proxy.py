"""Stands before an endpoint and spoils its answers, by a seed.

    python fault_proxy.py http://127.0.0.1:8000 --share 0.3 --seed 1

Of the calls, a share meets one of: a storm of 429 (several in a row), status 500, 503 with
Retry-After, a connection that drops, a body that goes out in drips, a body cut short of its length,
JSON cut in the middle, a page of HTML with status 200.
"""

import argparse
import asyncio
import random
from collections import Counter
from urllib.parse import urlsplit

from http_server import Request, Response, reply, run


class Proxy:
    def __init__(self, options) -> None:
        self.options = options
        self.target = urlsplit(options.target)
        self.random = random.Random(options.seed)
        self.storm = 0
        self.made: Counter[str] = Counter()

    async def handle(self, request: Request) -> Response:
        if request.path.endswith("/proxy/stats"):
            return reply(dict(self.made))
        if request.method != "POST":
            return await self.forward(request)
        if self.storm:
            self.storm -= 1
            self.made["429"] += 1
            return reply({"error": {"message": "slow down"}}, 429, **{"retry-after": "0.2"})
        if self.random.random() >= self.options.share:
            return await self.forward(request)
        fault = self.random.choice(self.options.faults.split(","))
        self.made[fault] += 1
        return await self.spoil(fault, request)

    async def spoil(self, fault: str, request: Request) -> Response:
        if fault == "429":
            self.storm = 5
            return reply({"error": {"message": "slow down"}}, 429, **{"retry-after": "0.2"})
        if fault == "500":
            return reply({"error": {"message": "broken"}}, 500)
        if fault == "503":
            return reply({"error": {"message": "busy"}}, 503, **{"retry-after": "0.1"})
        if fault == "drop":
            return Response(drop=True)
        if fault == "html":
            page = b"<html><body><h1>Bad gateway</h1></body></html>"
            return Response(page, kind="text/html")
        response = await self.forward(request)
        if fault == "drip":
            response.pause = 0.005
        elif fault == "short":
            response.said_length = len(response.body)
            response.body = response.body[: len(response.body) // 2]
        else:
            response.body = response.body[: len(response.body) // 2]
        return response

    async def forward(self, request: Request) -> Response:
        reader, writer = await asyncio.open_connection(self.target.hostname, self.target.port)
        skipped = {"host", "connection", "content-length", "transfer-encoding"}
        lines = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items() if k not in skipped)
        query = "&".join(f"{k}={v}" for k, values in request.query.items() for v in values)
        path = request.path + (f"?{query}" if query else "")
        head = (
            f"{request.method} {path} HTTP/1.1\r\nhost: {self.target.netloc}\r\n"
            f"connection: close\r\ncontent-length: {len(request.body)}\r\n{lines}\r\n"
        )
        writer.write(head.encode() + request.body)
        await writer.drain()
        raw = await reader.read(-1)
        writer.close()
        top, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = top.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        return Response(
            body, int(first.split()[1]), kind=headers.get("content-type", "application/json")
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", default="429,500,503,drop,drip,short,cut,html")
    options = parser.parse_args()
    run(Proxy(options).handle, options.port)


if __name__ == "__main__":
    main()
