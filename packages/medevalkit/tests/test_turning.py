import asyncio

import pytest

from medevalkit.turning import Heap, Turning
from medevalkit.window import windowed


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def asked(loop, answer):
    tasks = set()

    def submit(request, done):
        async def work():
            try:
                done(await answer(request))
            except ValueError as error:
                done(error)

        tasks.add(loop.create_task(work()))

    return submit


def test_all_are_answered_in_the_order_in_which_they_end_and_no_more_than_allowed_fly(loop):
    flying, most = 0, 0

    async def answer(number):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.001 if number % 2 else 0.05)
        flying -= 1
        return number

    found = list(windowed(iter(range(20)), 5, asked(loop, answer), Turning(loop)))
    assert sorted(found) == list(range(20)) and found[0] == 1
    assert most == 5


def test_the_loop_turns_while_requests_are_drawn(loop):
    seen = []

    async def answer(number):
        return number

    def requests():
        for number in range(3):
            yield number
            seen.append(number)

    answers = windowed(requests(), 10, asked(loop, answer), Turning(loop))
    assert next(answers) == 0 and not seen
    assert list(answers) == [1, 2]


@pytest.mark.parametrize(("count", "window"), [(20, 50), (20, 3), (7, 50), (8, 8)])
def test_in_heaps_everyone_is_answered(loop, count, window):
    heap, begun = Heap(4), []

    async def answer(number):
        await heap.passed()
        begun.append(number)
        await asyncio.sleep(0.001)
        return number

    turning = Turning(loop, heap)
    found = list(windowed(iter(range(count)), window, asked(loop, answer), turning))
    assert sorted(found) == sorted(begun) == list(range(count))


def test_a_heap_begins_together_while_there_is_more_to_draw(loop):
    heap, begun = Heap(4), []

    async def answer(number):
        await heap.passed()
        begun.append(number)
        await asyncio.sleep(3600)

    seen = []

    def requests():
        for number in range(11):
            seen.append(len(begun))
            yield number
        raise ValueError("drawn")

    with pytest.raises(ValueError, match="drawn"):
        list(windowed(requests(), 100, asked(loop, answer), Turning(loop, heap)))
    # The last to come goes on at once, the others of its heap when the loop turns again.
    assert set(seen) == {0, 1, 4, 5, 8}
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))


def test_what_goes_wrong_comes_out(loop):
    async def answer(number):
        raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        list(windowed(iter(range(3)), 2, asked(loop, answer), Turning(loop)))
