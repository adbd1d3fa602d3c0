"""One client in a process of its own, so that its time and memory can be measured alone.

    python _client.py ours|openai URL COUNT CONCURRENCY FOLDER [key=value …]

`ours` asks one call a record through journal and pacing and writes a manifest; `openai` makes the
same calls with the bare client on the same transport and keeps nothing. `URL` in a setting stands
for the endpoint's. Both print JSON: seconds of CPU and of wall time while calling, and the most
memory of the process.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Instruction, Source

WORDS = "the frontal radiograph shows a small opacity in the left lower zone without effusion " * 20
GENERATOR = f"{Path(__file__).parent / 'one_call.py'}:GENERATOR"


def main() -> None:
    """Runs one client and prints what it took."""
    kind, url, count, concurrency, folder, *settings = sys.argv[1:]
    work = ours if kind == "ours" else bare
    cpu, wall = work(url, int(count), int(concurrency), Path(folder), settings)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "rss_mb": most}))


def texts(count: int) -> Iterator[str]:
    """Yields prompts that differ, of about 1,700 characters."""
    return (f"{number} {WORDS}" for number in range(count))


def write_inputs(folder: Path, count: int) -> Path:
    """Writes a manifest of so many records, unless it is there."""
    out = folder / f"in-{count}"
    if not out.exists():
        producer = Producer(package="bench", version="0", command="bench", settings="")
        with ManifestWriter(out, producer=producer) as writer:
            for number, text in enumerate(texts(count)):
                writer.write(
                    Instruction(
                        id=f"bench/{number}",
                        source=Source(dataset="bench", licence="CC0-1.0"),
                        modality="text",
                        instruction=text,
                        response="-",
                    )
                )
    return out


def ours(
    url: str, count: int, concurrency: int, folder: Path, settings: list[str]
) -> tuple[float, float]:
    """Runs the generator of `one_call.py`; returns the seconds of CPU and wall while it asked."""
    from lingshu_synth.drivers.batch import Batch
    from lingshu_synth.drivers.online import Online
    from lingshu_synth.loading import Flags, load
    from lingshu_synth.runner import Job, Ways, run

    took: list[tuple[float, float]] = []
    for driver in (Online, Batch):
        driver.ask = _timed(driver.ask, took)  # type: ignore[method-assign]
    flags = Flags(endpoint=url, model="mock")
    settings = [setting.replace("URL", url) for setting in settings]
    given = [f"calls.concurrency={concurrency}", "model.max_tokens=400", *settings]
    job = Job(
        GENERATOR,
        (write_inputs(folder, count),),
        folder / "out",
        load(GENERATOR, "", flags, given),
        Ways(folder / "journal"),
    )
    run(job)
    # Nothing was asked where the folder was whole already.
    return took[0] if took else (0.0, 0.0)


def _timed(ask: Callable[..., Any], took: list[tuple[float, float]]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return ask(*args)
        finally:
            took.append((time.process_time() - cpu, time.perf_counter() - wall))

    return timed


def bare(
    url: str, count: int, concurrency: int, folder: Path, settings: list[str]
) -> tuple[float, float]:
    """Makes the same calls with nothing around them."""
    return asyncio.run(_bare(url, count, concurrency))


async def _bare(url: str, count: int, concurrency: int) -> tuple[float, float]:
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient

    limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    times = httpx2.Timeout(600, connect=60)
    transport = DefaultAioHttpClient(limits=limits, timeout=times)
    client = AsyncOpenAI(
        base_url=url, api_key="none-needed", max_retries=0, timeout=times, http_client=transport
    )
    left = texts(count)

    async def work() -> None:
        for text in left:
            await client.chat.completions.create(
                model="mock",
                messages=[{"role": "user", "content": text}],
                max_tokens=400,
                temperature=0.7,
                top_p=1.0,
            )

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    took = time.process_time() - cpu, time.perf_counter() - wall
    await client.close()
    return took


if __name__ == "__main__":
    main()
