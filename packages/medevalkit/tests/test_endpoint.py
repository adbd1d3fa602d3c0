import email.utils
import time
from itertools import pairwise

import pytest

from lingshu_core.errors import SettingsError
from medevalkit.endpoint import Client, RefusedError
from medevalkit.settings import Endpoint

BODY = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


def client(endpoint, **settings):
    fixed = {"base_url": endpoint.url, "backoff": 0.01, "timeout": 2.0, "retries": 3}
    return Client(Endpoint(**{**fixed, **settings}))


def test_an_answer(endpoint):
    found = client(endpoint).complete(BODY)
    assert (found.text, found.finish_reason) == ("yes", "stop")
    assert (found.prompt_tokens, found.completion_tokens) == (7, 1)


def test_connections_are_used_again(endpoint):
    one = client(endpoint)
    for _ in range(5):
        one.complete(BODY)
    assert len(endpoint.bodies) == 5


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_what_passes_is_tried_again(endpoint, status):
    def answer(body, number):
        return (status, {}, b"busy") if number < 3 else endpoint.say("yes")

    endpoint.answer = answer
    assert client(endpoint).complete(BODY).text == "yes"
    assert len(endpoint.bodies) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Bad gateway</html>",
        b'{"choices": [{"message": {"content": "ye',
        b'{"choices": []}',
        b'{"error": "overloaded"}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": {"a": 1}}}]}',
        b"[1, 2]",
        b"\xff\xfe",
    ],
)
def test_garbage_is_tried_again_and_then_named(endpoint, content):
    endpoint.answer = lambda body, number: (200, {}, content)
    with pytest.raises(RefusedError, match="no completion") as caught:
        client(endpoint, retries=2).complete(BODY)
    assert caught.value.passing
    assert len(endpoint.bodies) == 3


def test_a_dropped_connection_is_tried_again(endpoint):
    endpoint.answer = lambda body, number: None if number < 3 else endpoint.say("yes")
    assert client(endpoint).complete(BODY).text == "yes"


def test_an_answer_cut_short_is_tried_again(endpoint):
    status, headers, content = endpoint.say("yes")
    cut = (status, {**headers, "X-Length": "9999"}, content)

    def answer(body, number):
        return cut if number == 1 else endpoint.say("yes")

    endpoint.answer = answer
    assert client(endpoint, timeout=0.5).complete(BODY).text == "yes"


def test_a_slow_endpoint_is_given_up(endpoint):
    def answer(body, number):
        time.sleep(1.0)
        return endpoint.say("late")

    endpoint.answer = answer
    with pytest.raises(RefusedError, match=r"[Tt]ime") as caught:
        client(endpoint, timeout=0.2, retries=0).complete(BODY)
    assert caught.value.passing


def test_nobody_there(endpoint):
    endpoint.server.shutdown()
    endpoint.server.server_close()
    with pytest.raises(RefusedError, match="refused"):
        client(endpoint, retries=1).complete(BODY)


def test_retry_after_is_obeyed_in_seconds(endpoint):
    def answer(body, number):
        return (429, {"Retry-After": "0.4"}, b"") if number == 1 else endpoint.say("yes")

    endpoint.answer = answer
    begun = time.monotonic()
    client(endpoint).complete(BODY)
    assert 0.4 <= time.monotonic() - begun < 2


def test_retry_after_is_obeyed_as_a_date(endpoint):
    def answer(body, number):
        when = email.utils.formatdate(time.time() + 2, usegmt=True)
        return (503, {"Retry-After": when}, b"") if number == 1 else endpoint.say("yes")

    endpoint.answer = answer
    begun = time.monotonic()
    client(endpoint).complete(BODY)
    assert 0.9 <= time.monotonic() - begun < 4


def test_pauses_grow_and_are_never_longer_than_allowed(endpoint):
    times = []

    def answer(body, number):
        times.append(time.monotonic())
        return 500, {}, b""

    endpoint.answer = answer
    with pytest.raises(RefusedError):
        client(endpoint, backoff=0.1, longest_wait=0.25, retries=4).complete(BODY)
    pauses = [later - sooner for sooner, later in pairwise(times)]
    assert 0.05 <= pauses[0] <= 0.2 and pauses[1] >= 0.1
    assert all(0.125 <= pause <= 0.4 for pause in pauses[2:])


def test_what_does_not_pass_is_not_tried_again(endpoint):
    endpoint.answer = lambda body, number: (400, {}, b'{"error": "prompt is too long"}')
    with pytest.raises(RefusedError, match="too long") as caught:
        client(endpoint).complete(BODY)
    assert not caught.value.passing
    assert len(endpoint.bodies) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_an_unknown_model_ends_the_run(endpoint, status):
    endpoint.answer = lambda body, number: (status, {}, b"no")
    with pytest.raises(SettingsError, match=str(status)):
        client(endpoint).complete(BODY)


def test_the_key_is_sent_and_never_said(endpoint, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    endpoint.answer = lambda body, number: (400, {}, b"bad key sk-secret")
    with pytest.raises(RefusedError) as caught:
        client(endpoint, key_variable="MY_KEY").complete(BODY)
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(caught.value) and "***" in str(caught.value)


def test_reasoning_is_put_back(endpoint):
    endpoint.answer = lambda body, number: endpoint.say("B", reasoning_content="Because.")
    assert client(endpoint).complete(BODY).text == "<think>Because.</think>B"


def test_a_refusal_is_called_so(endpoint):
    endpoint.answer = lambda body, number: endpoint.say(None, refusal="I cannot help.")
    found = client(endpoint).complete(BODY)
    assert (found.text, found.finish_reason) == ("I cannot help.", "refusal")


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none(url):
    with pytest.raises(SettingsError, match="no http"):
        Client(Endpoint(base_url=url))
