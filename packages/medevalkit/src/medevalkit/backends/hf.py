"""Models of transformers, in batches, in this process."""

import time
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

from medevalkit.backend import Answer, Backend, Request
from medevalkit.chat import for_template
from medevalkit.extras import needed
from medevalkit.settings import RunSettings, Sampling
from medevalkit.weights import fingerprint, split_revision

_BATCHES = 8
"""Batches that are drawn at a time and sorted by length, so that little is padded."""

_SMALL = 50_000_000
"""With fewer parameters than this, several threads wait for each other more than they compute."""


class Transformers:
    """A model with its processor (pictures and text) or its tokenizer (text alone)."""

    def __init__(self, name: str, settings: RunSettings) -> None:
        torch, transformers = needed("torch", extra="hf"), needed("transformers", extra="hf")
        transformers.logging.disable_progress_bar()
        self._torch = torch
        self._seed = settings.sampling.seed
        self._batch_size = settings.engine.batch_size
        path, revision = split_revision(name)
        common = {"revision": revision, "trust_remote_code": settings.engine.trust_remote_code}
        config = transformers.AutoConfig.from_pretrained(path, **common)
        self._sees = hasattr(config, "vision_config")
        loader = (
            transformers.AutoModelForImageTextToText
            if self._sees
            else transformers.AutoModelForCausalLM
        )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = settings.engine.dtype
        if dtype == "auto" and device == "cpu":
            dtype = "float32"  # half precision is emulated there, and slow
        self._model = loader.from_pretrained(path, dtype=dtype, **common).to(device).eval()
        if device == "cpu" and self._model.num_parameters() < _SMALL:
            torch.set_num_threads(1)
        reader = transformers.AutoProcessor if self._sees else transformers.AutoTokenizer
        self._processor = reader.from_pretrained(path, **common)
        self._tokenizer = getattr(self._processor, "tokenizer", self._processor)
        self._tokenizer.padding_side = "left"
        self._generation = _generation(self._model, self._tokenizer, settings.sampling)

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields the answers batch by batch; a batch holds prompts of like length and limit."""
        while drawn := list(islice(requests, self._batch_size * _BATCHES)):
            drawn.sort(key=lambda request: (*_sort(request), _length(request)))
            for _, alike in groupby(drawn, key=_sort):
                while batch := list(islice(alike, self._batch_size)):
                    yield from self._safely(batch)

    def close(self) -> None:
        """Gives the memory back."""
        del self._model

    def _safely(self, batch: list[Request]) -> Iterator[Answer]:
        """Answers a batch; where that fails, its halves, so that one bad item fails alone."""
        if batch[0].pictures and not self._sees:
            yield from (Answer.failed(request, "the model takes no pictures") for request in batch)
            return
        try:
            answers = self._answer(batch)
        except (RuntimeError, ValueError, IndexError) as error:
            if len(batch) == 1:
                yield Answer.failed(batch[0], f"{type(error).__name__}: {error}", passing=True)
                return
            half = len(batch) // 2
            yield from self._safely(batch[:half])
            yield from self._safely(batch[half:])
        else:
            yield from answers

    def _answer(self, batch: list[Request]) -> list[Answer]:
        begun = time.monotonic()
        inputs = self._inputs(batch).to(self._model.device)
        width = inputs["input_ids"].shape[1]
        self._generation.max_new_tokens = batch[0].max_new_tokens
        self._torch.manual_seed(self._seed + int.from_bytes(batch[0].key[:6], "big"))
        with self._torch.inference_mode():
            tokens = self._model.generate(
                **inputs,
                generation_config=self._generation,
                tokenizer=self._tokenizer,
            )
        seconds = time.monotonic() - begun
        prompts = inputs["attention_mask"].sum(dim=1).tolist()
        return [
            self._read(request, row, prompt, seconds)
            for request, row, prompt in zip(batch, tokens[:, width:].tolist(), prompts, strict=True)
        ]

    def _inputs(self, batch: list[Request]) -> Any:
        texts = [self._prompt(request) for request in batch]
        pictures = [[loaded.decoded for loaded in request.pictures] for request in batch]
        shown = {"images": pictures} if batch[0].pictures else {}
        return self._processor(
            text=texts,
            **shown,
            padding=True,
            return_tensors="pt",
            add_special_tokens=self._begins(texts[0]),
        )

    def _begins(self, text: str) -> bool:
        """Says whether the tokenizer has to put its special tokens around a prompt.

        This is transformers' own rule: a text model's chat template writes all of them, a
        processor's may leave the first one to the tokenizer (that of LLaVA does).
        """
        if not getattr(self._processor, "chat_template", None):
            return True
        begin = self._tokenizer.bos_token
        return self._sees and not (begin and text.startswith(begin))

    def _prompt(self, request: Request) -> str:
        messages = for_template(request.messages, text_only=not self._sees)
        if not getattr(self._processor, "chat_template", None):
            return "\n".join(message.text for message in request.messages)
        return str(
            self._processor.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
        )

    def _read(self, request: Request, row: list[int], prompt: int, seconds: float) -> Answer:
        ends = [row.index(end) for end in self._generation.eos_token_id if end in row]
        kept = row[: min(ends)] if ends else row
        return Answer(
            request,
            str(self._tokenizer.decode(kept, skip_special_tokens=True)),
            "stop" if ends or len(row) < request.max_new_tokens else "length",
            prompt_tokens=prompt,
            completion_tokens=len(kept),
            latency=seconds,
        )


def _generation(model: Any, tokenizer: Any, sampling: Sampling) -> Any:
    """Returns the model's own generation settings with the run's sampling in place of theirs."""
    found = model.generation_config
    ends = found.eos_token_id if found.eos_token_id is not None else tokenizer.eos_token_id
    found.eos_token_id = ends if isinstance(ends, list) else [ends]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = found.eos_token_id[0]
    found.pad_token_id = tokenizer.pad_token_id
    drawn = sampling.temperature > 0
    found.do_sample = drawn
    found.temperature = sampling.temperature if drawn else None
    found.top_p = sampling.top_p if drawn else None
    found.top_k = (sampling.top_k or 0) if drawn else None
    found.repetition_penalty = sampling.repetition_penalty
    found.stop_strings = list(sampling.stop) or None
    return found


def _sort(request: Request) -> tuple[int, bool]:
    return request.max_new_tokens, bool(request.pictures)


def _length(request: Request) -> int:
    pictures = (loaded.decoded for loaded in request.pictures)
    pixels = sum(picture.width * picture.height for picture in pictures if picture is not None)
    # A token stands for some 3 characters, or 28 x 28 pixels.
    return sum(len(message.text) for message in request.messages) // 3 + pixels // 784


def _fingerprint(name: str, settings: RunSettings) -> str:
    return f"hf {settings.engine.dtype} {fingerprint(name)}"


BACKEND = Backend(
    "transformers, in this process: hf:DIR or hf:OWNER/NAME@REVISION",
    Transformers,
    _fingerprint,
    pictures="decoded",
)
