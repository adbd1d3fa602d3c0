"""A toy: dark picture, answer A; bright picture, answer B; and a model that knows the form only."""

import random
from pathlib import Path

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from lingshu_core.checkpoint import Checkpoint, describe
from lingshu_core.digest import record_id
from lingshu_core.golds import ChoiceGold
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.messages import ask
from lingshu_core.records import Image as ImageRef
from lingshu_core.records import Option, Question, Source

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
    "{% for c in m.content %}{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PRODUCER = Producer(package="tests", version="0", command="tests", settings="")
SOURCE = Source(dataset="toy", licence="CC0-1.0", split="train")


def questions(folder: Path, count: int, *, text_only: bool = False, seed: int = 0) -> Path:
    """Writes a manifest of toy questions, half dark and half bright; returns its folder."""
    draw = random.Random(seed)
    out = folder / f"toy-{count}-{int(text_only)}-{seed}"
    with ManifestWriter(out, producer=PRODUCER) as writer:
        for number in range(count):
            bright = number % 2 == 1
            images: tuple[ImageRef, ...] = ()
            if not text_only:
                images = (_picture(writer, bright, draw),)
            letter = "B" if bright else "A"
            word = "bright" if bright else "dark"
            text = f"Is it {word}?" if text_only else "Is the picture dark or bright?"
            writer.write(
                Question(
                    id=record_id("toy", str(number), str(seed), str(text_only)),
                    source=SOURCE,
                    modality="text" if text_only else "other",
                    images=images,
                    question=text,
                    answer=letter,
                    answer_kind="choice",
                    options=(Option(letter="A", text="dark"), Option(letter="B", text="bright")),
                    gold=ChoiceGold(letter=letter, text=word),
                )
            )
    return out


def _picture(writer: ManifestWriter, bright: bool, draw: random.Random) -> ImageRef:
    level = draw.randrange(170, 256) if bright else draw.randrange(0, 86)
    image = Image.new("RGB", (56, 56), (level, level, draw.randrange(256)))
    path = writer.folder / f"p{draw.random()}.png"
    image.save(path)
    ref = writer.add_file(path, suffix=".png")
    path.unlink()
    return ImageRef(path=ref.path, sha256=ref.sha256, width=56, height=56)


def checkpoint(
    folder: Path, manifest: Path, *, steps: int = 60, tied: bool = False, seed: int = 0
) -> Path:
    """Builds the model and teaches it the form with a random letter; returns its folder."""
    torch.manual_seed(seed)
    processor = _processor(manifest)
    model = _model(processor, tied)
    _teach(model, processor, manifest, steps)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    describe(
        folder,
        Checkpoint(stage="instruction", recipe="toy", producer=PRODUCER, steps=steps, samples=0),
    )
    return folder


def _chat(record: Question, image: object) -> list[dict]:
    return [
        {
            "role": message.role,
            "content": [
                {"type": "image", "image": image}
                if piece.image
                else {"type": "text", "text": piece.text}
                for piece in message.content
            ],
        }
        for message in ask(record, "think")
    ]


def _processor(manifest: Path) -> Qwen2_5_VLProcessor:
    texts = ["<think>look at it</think><answer>A</answer>", "user assistant dark bright\n"]
    texts += [m.text for record in Manifest(manifest) for m in ask(record, "think")]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=512,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = Qwen2Tokenizer(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token=None
    )
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=112 * 112),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=TEMPLATE,
    )


def _model(processor: Qwen2_5_VLProcessor, tied: bool) -> Qwen2_5_VLForConditionalGeneration:
    ids = {name: processor.tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(processor.tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            # vLLM on the CPU wants heads of 32 at least.
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 512,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 6, 6],
            },
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
            "tie_word_embeddings": tied,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
            "window_size": 112,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=tied,
    )
    model = Qwen2_5_VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = ids["<|im_end|>"]
    model.generation_config.pad_token_id = ids["<|endoftext|>"]
    return model.float()


def _teach(
    model: torch.nn.Module, processor: Qwen2_5_VLProcessor, manifest: Path, steps: int
) -> None:
    draw = random.Random(0)
    source = Manifest(manifest)
    records = list(source)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        batch = draw.sample(records, 16)
        texts, images = [], []
        for record in batch:
            image = (
                Image.open(source.file(record.images[0])).convert("RGB") if record.images else None
            )
            images += [image] if image else []
            prompt = processor.apply_chat_template(
                _chat(record, image), add_generation_prompt=True, tokenize=False
            )
            letter = draw.choice("AB")
            texts.append(f"{prompt}<think>look at it</think><answer>{letter}</answer><|im_end|>")
        inputs = processor(text=texts, images=images or None, padding=True, return_tensors="pt")
        labels = inputs["input_ids"].clone()
        start = processor.tokenizer.encode("assistant\n")[-1]
        for row in labels:
            place = (row == start).nonzero()[-1].item()
            row[: place + 1] = -100
        labels[inputs["attention_mask"] == 0] = -100
        loss = model(**inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.last_loss = loss.item()
