"""Whatever the line does, every record is answered, and what is paid is kept."""

import pytest

from lingshu_core.manifest import Manifest

FAULTS = ["429", "500", "503", "drop", "drip", "short", "cut", "html"]


@pytest.mark.parametrize(
    "fault",
    [
        fault if fault in {"500", "cut"} else pytest.param(fault, marks=pytest.mark.slow)
        for fault in FAULTS
    ],
)
def test_one_kind_of_fault(server, calls, texts, fault):
    mock = server()
    proxy = server("fault_proxy.py", mock.url, "--faults", fault, "--share", 0.3, "--seed", 3)
    out = calls(texts(25), proxy.url, calls={"attempts": 15, "concurrency": 8})
    assert len(Manifest(out)) == 25 and not len(Manifest(out / "set-aside"))
    made = proxy.get("/proxy/stats")
    assert made[fault] > 2
    billed = mock.stats()["billed"]
    # Only where an answer was spoiled on its way back can a call have been paid twice.
    spoiled = made[fault] if fault in {"short", "cut"} else 0
    assert billed == 25 + spoiled


@pytest.mark.slow
def test_all_kinds_at_once(server, calls, texts):
    mock = server("mock_endpoint.py", "--latency", 0.02)
    proxy = server("fault_proxy.py", mock.url, "--share", 0.4, "--seed", 5)
    out = calls(texts(120), proxy.url, calls={"attempts": 25, "concurrency": 32})
    assert len(Manifest(out)) == 120
    made = proxy.get("/proxy/stats")
    assert set(made) == set(FAULTS)
    assert mock.stats()["billed"] == 120 + made["short"] + made["cut"]


@pytest.mark.slow
def test_a_call_that_never_gets_through_is_one_rejected_record(server, calls, texts):
    mock = server()
    records = [*texts(10), *texts(1, "STATUS-500", start=10), *texts(10, start=11)]
    out = calls(records, mock.url, calls={"attempts": 3, "concurrency": 2})
    assert len(Manifest(out)) == 20
    (aside,) = Manifest(out / "set-aside")
    assert aside.id == "drawn/10" and aside.tags["reason"] == "unanswered"
    assert "500" in aside.tags["detail"]
