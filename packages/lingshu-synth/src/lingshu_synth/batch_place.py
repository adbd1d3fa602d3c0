"""Where batches are worked off: OpenAI's Batch API, or a folder for `vllm run-batch`."""

import json
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from openai import APIConnectionError, APIStatusError, DefaultHttpxClient, OpenAI

from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.files import link_or_copy
from lingshu_synth.endpoint import blot, key_of, public_url, trust
from lingshu_synth.settings import EndpointSettings

CHUNK = "lingshu_chunk"
"""Field of a batch's metadata by which it is found again."""

_ENDED = {"completed", "expired", "cancelled"}


@dataclass(frozen=True)
class Line:
    """The outcome of one request of a batch."""

    key: str
    status: int
    """HTTP status; 0 where the request was not worked off."""
    raw: bytes
    """Body of the answer, or the error."""


@dataclass(frozen=True)
class State:
    """How far a batch is."""

    is_: Literal["under way", "ended", "turned away"]
    told: str = ""


class BatchPlace(ABC):
    """Takes files of requests, and gives lines of outcomes some time later."""

    kind: str

    def close(self) -> None:  # noqa: B027  # a folder has nothing to close
        """Closes its connections; asked for nothing more afterwards."""

    @abstractmethod
    def submit(self, name: str, path: Path) -> str:
        """Hands in a file and returns what the batch is called there."""

    @abstractmethod
    def adopt(self, names: Iterable[str]) -> dict[str, str]:
        """Returns what those of the named chunks are called that were handed in already."""

    @abstractmethod
    def state(self, remote: str) -> State:
        """Returns how far a batch is."""

    @abstractmethod
    def lines(self, remote: str) -> Iterator[Line]:
        """Yields the outcomes of a batch that has ended, as far as there are any."""

    @abstractmethod
    def clear(self, remote: str) -> None:
        """Removes the requests, which hold the pictures, once the outcomes are kept."""


def place_for(settings: EndpointSettings, model: str) -> BatchPlace:
    """Returns the place for an endpoint; an address `file:DIR` is a folder.

    Args:
        settings: The endpoint.
        model: Logical name of the model, which requests name where the endpoint has no other.
    """
    if settings.url.startswith("file:"):
        return FolderPlace(Path(settings.url.removeprefix("file:")), settings, model)
    return OpenAIPlace(settings)


class OpenAIPlace(BatchPlace):
    """The Batch API: files up, a batch over them, files down."""

    def __init__(self, settings: EndpointSettings) -> None:
        self.kind = settings.kind
        self._key = key_of(settings)
        self._name = public_url(settings.url)
        # Creating a batch twice would pay it twice: nothing is repeated without looking first.
        client = DefaultHttpxClient(verify=trust())
        self._client = OpenAI(
            base_url=settings.url, api_key=self._key, max_retries=0, http_client=client
        )
        self._patient = self._client.with_options(max_retries=6)

    def close(self) -> None:
        """See `BatchPlace.close`."""
        self._client.close()

    def submit(self, name: str, path: Path) -> str:
        """See `BatchPlace.submit`; a file or batch of that name is used, not made again."""
        try:
            with path.open("rb") as file:
                uploaded = self._patient.files.create(file=(f"{name}.jsonl", file), purpose="batch")
            batch = self._client.batches.create(
                input_file_id=uploaded.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={CHUNK: name},
            )
        except APIConnectionError:
            # It may have been made all the same.
            found = self.adopt([name])
            if name not in found:
                raise Stopped(
                    f"{self._name} cannot be reached; the same command goes on from here"
                ) from None
            return found[name]
        except APIStatusError as error:
            raise self._fault(error) from None
        return batch.id

    def adopt(self, names: Iterable[str]) -> dict[str, str]:
        """See `BatchPlace.adopt`."""
        wanted, found = set(names), {}
        if not wanted:
            return {}
        try:
            for batch in self._patient.batches.list(limit=100):
                name = (batch.metadata or {}).get(CHUNK)
                if name in wanted and batch.status != "failed":
                    found[name] = batch.id
                if len(found) == len(wanted):
                    break
        except (APIStatusError, APIConnectionError) as error:
            raise self._fault(error) from None
        return found

    def state(self, remote: str) -> State:
        """See `BatchPlace.state`."""
        try:
            batch = self._patient.batches.retrieve(remote)
        except (APIStatusError, APIConnectionError) as error:
            raise self._fault(error) from None
        if batch.status == "failed":
            errors = (batch.errors.data if batch.errors else None) or []
            told = "; ".join(f"{error.code}: {error.message}" for error in errors)
            return State("turned away", blot(told, self._key))
        return State("ended" if batch.status in _ENDED else "under way", batch.status)

    def lines(self, remote: str) -> Iterator[Line]:
        """See `BatchPlace.lines`; from the file of outcomes and from the file of errors."""
        try:
            batch = self._patient.batches.retrieve(remote)
            for file in (batch.output_file_id, batch.error_file_id):
                if file:
                    yield from read_lines(self._patient.files.content(file).iter_lines())
        except (APIStatusError, APIConnectionError) as error:
            raise self._fault(error) from None

    def clear(self, remote: str) -> None:
        """See `BatchPlace.clear`."""
        try:
            batch = self._patient.batches.retrieve(remote)
            self._client.files.delete(batch.input_file_id)
        except (APIStatusError, APIConnectionError):
            return  # somebody removed it already, or it is not ours to remove

    def _fault(self, error: APIStatusError | APIConnectionError) -> Stopped | SettingsError:
        told = blot(str(error), self._key)[:300]
        if isinstance(error, APIStatusError) and error.status_code in (401, 403, 404):
            return SettingsError(f"{self._name}: {told}")
        return Stopped(f"{self._name}: {told}; the same command goes on from here")


class FolderPlace(BatchPlace):
    """A folder: `NAME.jsonl` is put there, `NAME.out.jsonl` is expected beside it."""

    def __init__(self, folder: Path, settings: EndpointSettings, model: str) -> None:
        self.kind = settings.kind
        self._folder = folder
        # vLLM turns away every request that names another model than it serves.
        self._model = (
            [settings.model] if settings.model else ["MODEL", "--served-model-name", model]
        )

    def submit(self, name: str, path: Path) -> str:
        """See `BatchPlace.submit`."""
        link_or_copy(path, self._folder / f"{name}.jsonl")
        return name

    def adopt(self, names: Iterable[str]) -> dict[str, str]:
        """See `BatchPlace.adopt`."""
        return {name: name for name in names if (self._folder / f"{name}.jsonl").is_file()}

    def state(self, remote: str) -> State:
        """See `BatchPlace.state`; ends the run where somebody has to do the work first."""
        source, result = self._folder / f"{remote}.jsonl", self._folder / f"{remote}.out.jsonl"
        if result.is_file():
            return State("ended")
        words = ["-i", str(source), "-o", str(result), "--model", *self._model]
        raise Stopped(
            f"{source} waits to be worked off, for instance by `python -m "
            f"vllm.entrypoints.openai.run_batch {shlex.join(words)}`; then the same command goes on"
        )

    def lines(self, remote: str) -> Iterator[Line]:
        """See `BatchPlace.lines`."""
        with (self._folder / f"{remote}.out.jsonl").open(encoding="utf-8") as file:
            yield from read_lines(file)

    def clear(self, remote: str) -> None:
        """See `BatchPlace.clear`."""
        (self._folder / f"{remote}.jsonl").unlink(missing_ok=True)


def read_lines(texts: Iterable[str]) -> Iterator[Line]:
    """Yields the lines of an output or error file; what is no such line is left out."""
    for text in texts:
        try:
            data = json.loads(text)
        except ValueError:
            continue
        if isinstance(data, dict) and isinstance(data.get("custom_id"), str):
            yield _line(data)


def _line(data: dict[str, Any]) -> Line:
    response, body = data.get("response"), data.get("error")
    status = None
    if isinstance(response, dict):
        status = response.get("status_code")
        # vLLM leaves the body of a request that it turned away empty, and says why beside it.
        body = body if response.get("body") is None else response["body"]
    if not isinstance(body, dict) or ("error" not in body and "choices" not in body):
        body = {"error": body}
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Line(data["custom_id"], status if isinstance(status, int) else 0, raw)
