import asyncio
import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_synth.pacing import Bucket, Pacer, duration, limit_of, retry_after
from lingshu_synth.sending import pause
from lingshu_synth.settings import EndpointSettings


def pacer(concurrency=8, **settings):
    return Pacer(EndpointSettings(url="http://x/v1", **settings), concurrency)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360),
        ("7m12.5s", 432.5),
        ("12ms", 0.012),
        ("1.5", 1.5),
        ("1h2m3s", 3723),
        ("1d", 86400),
        ("", None),
        ("soon", None),
        ("5x", None),
        ("m5", None),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == pytest.approx(seconds) if seconds is not None else not duration(text)


@given(st.text())
def test_any_duration(text):
    found = duration(text)
    assert found is None or found >= 0


def limits(limit, remaining, reset, what="requests"):
    return {
        f"x-ratelimit-limit-{what}": limit,
        f"x-ratelimit-remaining-{what}": remaining,
        f"x-ratelimit-reset-{what}": reset,
    }


@pytest.mark.parametrize(
    ("headers", "per_second"),
    [
        (limits("10000", "9999", "6ms"), 10000 / 60),  # OpenAI, by the minute
        (limits("14400", "14370", "2m59.56s"), 14400 / 86400),  # Groq, by the day
        (limits("600", "597", "1s"), 600 / 60),  # rounded up to a whole second
        (limits("20", "10", "0.5s"), 20),  # by the second
        (limits("60", "60", "0s"), 1),
        (limits("30000", "29000", "2s", "tokens"), None),
        (limits("many", "some", "1s"), None),
        ({}, None),
    ],
)
def test_limits_in_headers(headers, per_second):
    found = limit_of(headers, "requests")
    assert found == (per_second and pytest.approx(0.95 * per_second))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "a while"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("tries", "longest"), [(1, 1.0), (2, 2.0), (5, 16.0), (7, 60.0), (40, 60.0)]
)
def test_pauses_double_and_are_drawn_from_their_whole_length(tries, longest):
    drawn = [pause(tries, Random(seed)) for seed in range(400)]
    assert 0.95 * longest < max(drawn) <= longest and min(drawn) < 0.05 * longest
    assert sum(drawn) / 400 == pytest.approx(longest / 2, rel=0.1)


def waits(bucket, count, cost, now=100.0):
    """How long each of some waits who take their turns one after the other, all from `now` on."""
    found = []
    for _ in range(count):
        found.append(bucket.wait(now))
        bucket.take(now, cost)
    return found


def test_a_bucket_spaces_what_goes_through():
    bucket = Bucket(rate=10.0)
    assert waits(bucket, 5, 1.0) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert bucket.wait(200.0) == 0.0


def test_a_bucket_without_a_rate_lets_everything_through():
    assert waits(Bucket(), 2, 1e9) == [0.0, 0.0]


def test_tokens_may_come_in_bursts_but_not_for_ever():
    bucket = Bucket(rate=1000.0, burst=6.0)
    found = waits(bucket, 10, 2000.0)
    assert found[:4] == [0.0, 0.0, 0.0, 0.0] and found[-1] == pytest.approx(12.0)


def test_the_window_opens_with_every_answer():
    async def run():
        one = pacer(concurrency=64)
        for _ in range(4):
            await one.enter(1.0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.enter(1.0), 0.02)
        one.passed({})
        await asyncio.wait_for(one.enter(1.0), 0.02)
        await asyncio.wait_for(one.enter(1.0), 0.02)

    asyncio.run(run())


def test_a_refusal_closes_the_gate_for_all():
    async def run():
        one = pacer()
        one.refused({"retry-after": "0.2"}, time.monotonic())
        start = time.monotonic()
        await asyncio.gather(*(one.enter(1.0) for _ in range(3)))
        assert time.monotonic() - start >= 0.2

    asyncio.run(run())


def test_who_waits_while_the_gate_closes_waits_on():
    async def run():
        one = pacer(requests_per_minute=600.0)
        await one.enter(1.0)
        late = asyncio.create_task(one.enter(1.0))
        await asyncio.sleep(0.01)
        start = time.monotonic()
        one.refused({"retry-after": "0.3"}, start)
        await late
        assert time.monotonic() - start >= 0.3

    asyncio.run(run())


def test_gates_that_close_again_and_again_do_not_pile_up_turns():
    async def run():
        one = pacer(concurrency=64, requests_per_minute=600.0)
        one.passed({})
        for _ in range(40):
            one.passed({})
        waiting = [asyncio.create_task(one.enter(1.0)) for _ in range(12)]
        for _ in range(10):
            one.refused({"retry-after": "0.01"}, 0.0)
            await asyncio.sleep(0.02)
        start = time.monotonic()
        await asyncio.gather(*waiting)
        assert time.monotonic() - start < 10, "12 turns at some a second"

    asyncio.run(run())


def test_stragglers_lower_the_pace_only_once():
    one = pacer(requests_per_minute=3600.0)
    one.passed({})
    sent = time.monotonic()
    one.refused({"retry-after": "1"}, sent)
    lowered = one.requests.rate
    assert lowered < 60
    for _ in range(5):
        one.refused({"retry-after": "1"}, sent)
    assert one.requests.rate == lowered and one.refusals == 6


def test_the_pace_grows_again_but_not_over_what_is_known():
    one = pacer(requests_per_minute=60.0)
    one.passed({})
    one.refused({"retry-after": "0"}, time.monotonic())
    low = one.requests.rate
    for _ in range(200):
        one.passed({})
    assert low < one.requests.rate <= 1.0


def test_headers_set_the_pace():
    one = pacer()
    one.passed(limits("600", "599", "0.1s"))
    assert one.requests.rate == pytest.approx(9.5)
    one = pacer(requests_per_minute=60.0)
    one.passed(limits("600", "599", "0.1s"))
    assert one.requests.rate == pytest.approx(1.0), "what the user wants is not exceeded"


def test_headers_set_the_pace_of_tokens_too():
    told = limits("30000", "29000", "2s", "tokens")
    one = pacer()
    one.passed(told)
    assert one.tokens.rate == pytest.approx(0.95 * 500) and one.requests.rate is None
    one = pacer(tokens_per_minute=6000.0)
    one.passed(told)
    assert one.tokens.rate == pytest.approx(100.0), "what the user wants is not exceeded"


def test_nothing_left_closes_the_gate_until_the_reset():
    async def run():
        one = pacer()
        one.passed(limits("600", "0", "0.2s"))
        start = time.monotonic()
        await one.enter(1.0)
        assert time.monotonic() - start >= 0.2

    asyncio.run(run())


def test_refusals_that_no_pace_explains_do_not_lower_it():
    one = pacer(requests_per_minute=600.0)
    one.passed({})
    for _ in range(20):
        one.refused({"retry-after": "0"}, time.monotonic())
        time.sleep(0.001)
    assert one.requests.rate >= 3.0
