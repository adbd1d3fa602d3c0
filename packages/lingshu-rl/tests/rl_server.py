"""A vLLM server on this machine, as a user starts one."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


class VllmServer:
    """`python -m vllm.entrypoints.openai.api_server`, started, killed and started again."""

    def __init__(self, checkpoint: Path, log: Path) -> None:
        self.checkpoint = checkpoint
        self.log = log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        command = [
            *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", str(self.checkpoint), "--dtype", "float32"),
            *("--max-model-len", "512", "--logprobs-mode", "processed_logprobs"),
            *("--no-enable-chunked-prefill", "--host", "127.0.0.1", "--port", str(self.port)),
        ]
        more = {"VLLM_SERVER_DEV_MODE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                command, env=os.environ | more, stdout=file, stderr=file, start_new_session=True
            )
        if wait:
            self.wait()

    def wait(self, seconds: float = 300) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process is not None and self.process.poll() is None, self.log.read_text()
            try:
                urllib.request.urlopen(f"{self.url}/v1/models", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(1)
        raise TimeoutError(self.log.read_text())

    def kill(self) -> None:
        """Ends the server and its engine at once, with SIGKILL."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
