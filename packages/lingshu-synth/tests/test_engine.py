"""All generators against vLLM with a model of random weights: its texts are nonsense, the
protocol is real. One start of the engine serves most of them; `--serve` and the file of a batch
start engines of their own."""

import re
import shlex
import socket
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest

from lingshu_core.digest import record_id
from lingshu_core.errors import Stopped
from lingshu_core.manifest import Manifest
from lingshu_core.records import Caption, Instruction, Option, Question, Source
from lingshu_synth.serving import served

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]
SOURCE = Source(dataset="drawn", licence="CC0-1.0", split="train", group="g")
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for c in m.content %}{% if c.type == 'image' or c.type == 'image_url' %}"
    "<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def checkpoint(folder):
    """Writes a very small Qwen2.5-VL with random weights."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2Tokenizer,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(["user assistant system the picture shows caption answer"], trainer)
    tokenizer = Qwen2Tokenizer(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token=None
    )
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=112 * 112),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=TEMPLATE,
    )
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            # vLLM on the CPU wants heads of 32 at least.
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 16384,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 6, 6],
            },
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [0],
            "window_size": 112,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    Qwen2_5_VLForConditionalGeneration(config).float().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    """The model and words for vLLM, as `--serve` takes them."""
    pytest.importorskip("vllm")
    folder = checkpoint(tmp_path_factory.mktemp("engine") / "nano")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        yield f"{folder} --enforce-eager --dtype float32 --max-model-len 12000 --max-num-seqs 8"


@pytest.fixture(scope="module")
def engine(nano, tmp_path_factory):
    with served(nano, "nano", tmp_path_factory.mktemp("log") / "vllm.log") as endpoint:
        yield endpoint


@pytest.fixture
def inputs(pictures):
    """For every generator an input of its own."""
    image = pictures.image(9)
    options = (Option(letter="A", text="K+"), Option(letter="B", text="Na+"))
    common = {"source": SOURCE, "modality": "text"}
    exam = [
        Question(
            id=record_id("drawn", f"q{n}"),
            question=f"Which ion is carried by channel {n}?",
            answer="B",
            answer_kind="choice",
            options=options,
            **common,
        )
        for n in range(2)
    ]
    shown = [q.replace(images=(image,), modality="ct") for q in exam]
    talk = Instruction(
        id=record_id("drawn", "i"), instruction="My knee hurts.", response="Take rest.", **common
    )
    box = {"x": 8, "y": 6, "width": 20, "height": 18, "label": "nodule"}
    scan = [
        pictures.imaging(n, labels={"nodule": "present"}, boxes=[box], organ="lung")
        for n in range(2)
    ]
    told = Caption(
        id=record_id("drawn", "c"),
        source=SOURCE,
        modality="ct",
        images=(image,),
        text="A CT of the lung.",
    )
    found = {"captions": scan, "ocr": exam, "cot": shown, "vqa": [told], "dialogues": [talk]}
    written = {name: pictures.write(records, f"in-{name}") for name, records in found.items()}
    return written | {"seeds": pictures.write(shown, "seeds")}


def attempts(journal):
    with sqlite3.connect(journal / "journal.sqlite") as database:
        rows = database.execute(
            "SELECT state, status, endpoint, prompt_tokens, completion_tokens FROM attempt"
        ).fetchall()
    database.close()
    return rows


def test_all_generators_end_to_end(engine, inputs, synth, tmp_path):
    calls = {"endpoints": [engine.model_dump()], "concurrency": 8, "timeout": 120.0}
    model = {"name": "nano", "max_tokens": 48}
    journal = tmp_path / "journal"
    asked = 0
    for name in ("captions", "ocr", "vqa", "cot", "dialogues"):
        more = {"seeds": str(inputs["seeds"])} if name == "vqa" else {}
        out = tmp_path / f"out-{name}"
        synth(name, inputs[name], out, model=model, calls=calls, journal=journal, **more)
        records = list(Manifest(out / "set-aside"))
        assert (
            len(Manifest(out)) + len(records) == len(Manifest(inputs[name])) or name == "captions"
        )
        rows = attempts(journal)
        assert len(rows) > asked, f"{name} asked the engine"
        asked = len(rows)
        for state, status, kind, prompt, completion in rows:
            assert (state, status, kind) == ("answered", 200, "vllm")
            assert prompt > 20 and 0 < completion <= 48
        reasons = {record.tags["reason"] for record in records}
        assert "unanswered" not in reasons, [r.tags for r in records]


def test_a_line_that_spoils_answers(engine, server, calls, texts, pictures):
    """Storms of 429, 500, 503, dropped lines, drips, short and cut bodies, HTML for JSON."""
    proxy = server("fault_proxy.py", engine.url, "--share", 0.5, "--seed", 6)
    through = engine.model_copy(update={"url": proxy.url}).model_dump()
    out = calls(
        texts(40),
        "",
        endpoints=[through],
        model={"name": "nano", "max_tokens": 6},
        calls={"attempts": 40, "concurrency": 8, "timeout": 120.0},
    )
    aside = [record.tags["reason"] for record in Manifest(out / "set-aside")]
    # Nonsense seldom ends by itself: a reply that was cut is one that came.
    assert len(Manifest(out)) + len(aside) == 40 and set(aside) <= {"cut_off", "empty"}
    made = proxy.get("/proxy/stats")
    assert set(made) == {"429", "500", "503", "drop", "drip", "short", "cut", "html"}
    ends = Counter(state for state, *_ in attempts(pictures.folder / "journal"))
    spoiled = sum(made[fault] for fault in ("500", "drop", "short", "cut", "html"))
    paced = made["429"] + made["503"]
    assert ends == {"answered": 40, "failed": spoiled, "refused": paced}


def test_a_file_of_requests_that_vllm_works_off(nano, calls, texts, pictures, tmp_path):
    """The file of a batch, worked off by the very command that the run names, and settled."""
    place = tmp_path / "place"
    place.mkdir()
    shown = texts(1, start=4)[0].replace(images=(pictures.image(3),), modality="ct")
    too_long = texts(1, "word " * 12000, start=5)
    endpoint = {"url": f"file:{place}", "kind": "vllm"}
    # Random weights end a text when they happen upon the letter.
    sampling = {"max_tokens": 1000, "extra": {"stop": "e", "min_tokens": 8}}

    def batch():
        return calls(
            [*texts(4), shown, *too_long],
            "",
            endpoints=[endpoint],
            model={"name": "nano", **sampling},
            calls={"batch": True},
        )

    with pytest.raises(Stopped, match="run_batch") as stop:
        batch()
    told = re.search(r"python (-m vllm\.[^`]*)`", str(stop.value))[1]
    words = shlex.split(told.replace(" MODEL ", f" {nano} "))
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]

    out = batch()
    assert [record.id for record in Manifest(out)] == [f"drawn/{n}" for n in range(5)]
    assert all(record.response for record in Manifest(out).of(Instruction))
    (aside,) = Manifest(out / "set-aside")
    assert aside.id == "drawn/5" and aside.tags["reason"] == "unanswered"
    assert "status 400" in aside.tags["detail"] and "context length" in aside.tags["detail"]
    rows = attempts(pictures.folder / "journal")
    assert Counter(row[:3] for row in rows) == {
        ("answered", 200, "vllm"): 5,
        ("answered", 400, "vllm"): 1,
    }
    assert all(prompt > 0 and reply >= 8 for _, status, _, prompt, reply in rows if status == 200)


@pytest.mark.slow
def test_a_server_of_its_own_for_one_command(nano, inputs, tmp_path):
    words = ["dialogues", inputs["dialogues"], "--out", tmp_path / "out", "--serve", nano]
    words += ["--set", "model.max_tokens=16"]
    done = subprocess.run(
        [sys.executable, "-m", "lingshu_synth", *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(Manifest(tmp_path / "out")) + len(Manifest(tmp_path / "out" / "set-aside")) == 1
    ((state, status, kind, _, completion),) = attempts(tmp_path / "synth-journal")
    assert (state, status, kind) == ("answered", 200, "vllm") and completion <= 16
    port = int(re.search(r"vLLM answers on port (\d+)", done.stderr)[1])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server ended with the command"
