import threading
import time

import pytest

from medevalkit.window import Threads, windowed


def test_all_are_answered_and_no_more_than_allowed_fly():
    flying, most = 0, 0
    lock = threading.Lock()

    def ask(number):
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.01)
        with lock:
            flying -= 1
        return number * number

    threads = Threads(ask, 7)
    found = list(windowed(iter(range(50)), 7, threads.submit))
    threads.close()
    assert sorted(found) == [n * n for n in range(50)]
    assert 2 <= most <= 7


def test_requests_are_drawn_as_there_is_room():
    drawn = 0

    def requests():
        nonlocal drawn
        for number in range(100):
            drawn += 1
            yield number

    waiting = []
    answers = windowed(requests(), 5, lambda request, done: waiting.append((request, done)))

    def later():
        while len(waiting) < 5:
            time.sleep(0.001)
        request, done = waiting[0]
        done(request)

    threading.Thread(target=later).start()
    assert next(answers) == 0
    assert drawn == 5


def test_what_goes_wrong_comes_out():
    def ask(number):
        if number == 3:
            raise ValueError("three")
        return number

    threads = Threads(ask, 2)
    with pytest.raises(ValueError, match="three"):
        list(windowed(iter(range(10)), 2, threads.submit))
    threads.close()
