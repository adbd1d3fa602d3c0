"""A local endpoint that answers every chat at once, as cheaply as can be; for benches.

python _answering.py    prints its port, then serves until its standard input closes
"""

import asyncio
import json
import sys

BODY = json.dumps(
    {
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 80, "completion_tokens": 1},
    }
).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


class Answering(asyncio.Protocol):
    """Waits for a whole request on a connection that stays open, and answers it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._seen = bytearray()

    def data_received(self, data: bytes) -> None:
        """Answers as often as there is a whole request."""
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._seen[:end]).lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if len(self._seen) < end + 4 + length:
                return
            del self._seen[: end + 4 + length]
            self._transport.write(ANSWER)


async def main() -> None:
    """Serves until nobody listens to its port any more."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
