"""What the tests of medevalkit share: small manifests with real pictures, a tiny model."""

import hashlib
import io
import json
import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from lingshu_core.digest import record_id
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Image, Option, Question, RecordBase, Report, Source

PRODUCER = Producer(package="tests", version="0", command="tests", settings="none")
SOURCE = Source(dataset="toy", licence="CC0-1.0", split="test")
TEXTS = ("mass", "nothing", "cyst", "fracture")


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINGSHU_PLUGINS", "0")


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Returns a maker of PNG files of noise: `png(seed, (width, height))`."""
    return draw


def draw(seed: int = 0, size: tuple[int, int] = (64, 64)) -> bytes:
    picture = Pillow.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def add_picture(writer: ManifestWriter, data: bytes, size: tuple[int, int] = (64, 64)) -> Image:
    """Puts a picture into a manifest."""
    ref = writer.add_file(data, suffix=".png")
    return Image(path=ref.path, sha256=ref.sha256, width=size[0], height=size[1])


def toy_record(number: int, images: tuple[Image, ...]) -> RecordBase:
    """Returns the n-th record of the toy task: open, closed, choice and report in turn."""
    topic = ("modality", "organ", "finding", "report")[number % 4]
    common: dict[str, Any] = {
        "id": record_id("toy", str(number)),
        "source": SOURCE,
        "images": images,
        "modality": ("ct", "mri", "xray")[number % 3] if images else "text",
        "tags": {"topic": topic},
    }
    if topic == "modality":
        asked, gold = f"Which modality is picture {number}?", ("CT", "MRI", "X-ray")[number % 3]
        return Question(**common, question=asked, answer=gold, answer_kind="open")
    if topic == "organ":
        asked, gold = f"Is the liver shown in {number}?", ("yes", "no")[number // 4 % 2]
        return Question(**common, question=asked, answer=gold, answer_kind="closed")
    if topic == "finding":
        options = tuple(
            Option(letter=letter, text=text) for letter, text in zip("ABCD", TEXTS, strict=True)
        )
        return Question(
            **common,
            question=f"What is found in {number}?",
            answer="ABCD"[number // 4 % 4],
            answer_kind="choice",
            options=options,
        )
    return Report(**common, findings="The lungs are clear.", impression="No acute disease.")


def write_toy(out: Path, count: int, *, pictures: int = 0, reports: bool = True) -> Path:
    """Writes a toy manifest whose records share some pictures."""
    with ManifestWriter(out, producer=PRODUCER) as writer:
        shown = [add_picture(writer, draw(seed)) for seed in range(pictures)]
        numbers = (n for n in range(2 * count) if reports or n % 4 != 3)
        for place, number in enumerate(islice(numbers, count)):
            images = (shown[place % pictures],) if pictures else ()
            writer.write(toy_record(number, images))
    return out


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Path]:
    """Returns a maker of toy manifests: `toy(n, pictures=k)` shares k pictures."""
    return partial(write_toy, tmp_path / "toy")


@pytest.fixture(scope="session")
def toy_in() -> Callable[..., Path]:
    """Returns a maker of toy manifests in a given folder."""
    return write_toy


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with a Qwen2.5-VL of random weights that fits into two megabytes."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("tiny")
    make_tiny(folder)
    return folder


SPECIAL = [
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'text' %}{{ c['text'] }}"
    "{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_tokenizer() -> Any:
    return byte_tokenizer(
        SPECIAL,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens={name.strip("<|>"): name for name in SPECIAL[3:]},
        chat_template=TEMPLATE,
    )


def byte_tokenizer(special: list[str], *, begin: str | None = None, **more: Any) -> Any:
    """Returns a tokenizer of bytes and a few words, as transformers has them.

    Args:
        special: Tokens that are never divided.
        begin: The one among them that is put before a text, as Llama's and Gemma's do.
        more: Arguments of transformers.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    byte_level = Tokenizer(models.BPE())
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_level.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    byte_level.train_from_iterator(["Answer the question with yes or no."] * 4, trainer)
    if begin is not None:
        byte_level.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, byte_level.token_to_id(begin))]
        )
        more["bos_token"] = begin
    return PreTrainedTokenizerFast(tokenizer_object=byte_level, **more)


@pytest.fixture(scope="session")
def tokenizer_of() -> Callable[..., Any]:
    """Returns the maker of tokenizers."""
    return byte_tokenizer


def make_tiny(folder: Path) -> None:
    import torch
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        logging,
    )

    logging.disable_progress_bar()
    tokenizer = tiny_tokenizer()
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 6, 6]},
        "bos_token_id": ids["<|im_start|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 4,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [1],
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = ids["<|im_end|>"]
    model.generation_config.pad_token_id = ids["<|endoftext|>"]
    model.save_pretrained(folder)
    pictures = Qwen2VLImageProcessor(min_pixels=56 * 56, max_pixels=112 * 112)
    Qwen2_5_VLProcessor(
        pictures, tokenizer, Qwen2VLVideoProcessor(), chat_template=TEMPLATE
    ).save_pretrained(folder)


class HubCache:
    """A folder as huggingface_hub keeps what it has fetched; with it nothing asks the network."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}

    def put(self, repository: str, commit: str, files: Mapping[str, bytes], kind: str) -> None:
        """Lays a snapshot out: blobs by hash, links to them by name, `main` at this commit."""
        folder = self.home / "hub" / f"{kind}s--{repository.replace('/', '--')}"
        for name, data in files.items():
            blob = folder / "blobs" / hashlib.sha256(data).hexdigest()
            blob.parent.mkdir(parents=True, exist_ok=True)
            blob.write_bytes(data)
            link = folder / "snapshots" / commit / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(commit)


@pytest.fixture
def hub_cache(tmp_path: Path) -> HubCache:
    """Returns an empty cache of the hub."""
    pytest.importorskip("huggingface_hub")
    return HubCache(tmp_path / "huggingface")


class MockEndpoint:
    """An OpenAI-compatible server whose answers a test decides."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[dict[str, Any], int], Any] = lambda body, number: self.say("yes")
        self.flying = 0
        self.most_flying = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                outer.serve(self, json.loads(data))

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def serve(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        with self._lock:
            self.bodies.append(body)
            self.headers.append(dict(handler.headers))
            number = len(self.bodies)
            self.flying += 1
            self.most_flying = max(self.most_flying, self.flying)
        try:
            answer = self.answer(body, number)
            if answer is None:  # hang up without a word
                handler.close_connection = True
                handler.connection.close()
                return
            status, headers, content = answer
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", headers.get("X-Length", str(len(content))))
            handler.end_headers()
            handler.wfile.write(content)
        except OSError:
            pass
        finally:
            with self._lock:
                self.flying -= 1

    @staticmethod
    def say(text: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
        choice = {"index": 0, "message": {"content": text, **more}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 7, "completion_tokens": 1}
        return 200, {}, json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.fixture
def endpoint() -> Iterator[MockEndpoint]:
    """Returns a server of chat completions on this machine."""
    mock = MockEndpoint()
    yield mock
    mock.server.shutdown()
    mock.server.server_close()
