"""A hard limit of 20 requests a second with Retry-After, started three times too fast.

Bars (issue 4): every call is done, at most 30 refusals are provoked, at most 1.5 times the ideal
time is taken. The bare client with its own retries runs beside it.

    python packages/lingshu-synth/bench/rate_limit.py
"""

import argparse
import asyncio
import sys
import time

from _client import texts
from _mock import measure, mock, save

LIMIT, MOST_REFUSED, MOST_TIME = 20, 30, 1.5


def main() -> int:
    """Prints a table, writes the results and says whether the bars are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=600)
    options = parser.parse_args()
    ideal = options.calls / LIMIT
    rows = []
    for kind in ("ours", "openai, 2 retries", "openai, 10 retries"):
        with mock("--limit", LIMIT, "--latency", 0.05) as (server, folder):
            begun = time.perf_counter()
            if kind == "ours":
                pace = f"[{{url='{server.url}', requests_per_minute={LIMIT * 3 * 60}}}]"
                settings = (f"calls.endpoints={pace}",)
                wall = measure("ours", server, options.calls, 64, folder, *settings)["wall"]
                done = options.calls
            else:
                retries = int(kind.split()[1])
                done = asyncio.run(bare(server.url, options.calls, 64, retries))
                wall = time.perf_counter() - begun
            refused = server.stats()["refused"]
        row = {"client": kind, "done": done, "of": options.calls, "refused": refused}
        rows.append({**row, "wall_s": round(wall, 1), "times_ideal": round(wall / ideal, 2)})
        print(rows[-1], flush=True)
    first = rows[0]
    met = first["refused"] <= MOST_REFUSED and first["times_ideal"] <= MOST_TIME
    save("rate_limit", {"limit_per_second": LIMIT, "rows": rows, "met": met})
    return 0 if met else 1


async def bare(url: str, count: int, concurrency: int, retries: int) -> int:
    """Makes the calls with the bare client and its own retries; returns how many were answered."""
    from openai import APIError, AsyncOpenAI, DefaultAioHttpClient

    left, done = texts(count), 0

    async def work(client: AsyncOpenAI) -> None:
        nonlocal done
        for text in left:
            try:
                await client.chat.completions.create(
                    model="mock", messages=[{"role": "user", "content": text}], max_tokens=400
                )
            except APIError:
                continue
            done += 1

    async with AsyncOpenAI(
        base_url=url, api_key="x", max_retries=retries, http_client=DefaultAioHttpClient()
    ) as client:
        await asyncio.gather(*(work(client) for _ in range(concurrency)))
    return done


if __name__ == "__main__":
    sys.exit(main())
