"""A model of the Qwen2.5-VL family from nothing: random weights, a vocabulary of the corpus."""

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.messages import to_messages
from lingshu_train.settings import Shape

SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
    "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>",
    "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
"""Control tokens of Qwen2.5-VL, in its order; they stand behind the learned vocabulary."""


QWEN_VOCABULARY = 152_064


def corpus_texts(manifest: Manifest) -> Iterator[str]:
    """Yields every text of a manifest as the model will see it, prompts included."""
    for record in manifest:
        try:
            messages = to_messages(record)
        except DataError:
            continue  # an imaging record has nothing to say
        for message in messages:
            yield f"{message.role}\n"
            yield message.text


def learn_tokenizer(texts: Iterable[str], size: int) -> Any:
    """Returns a `Qwen2Tokenizer` whose byte-level vocabulary is learned from texts.

    Args:
        texts: What it shall write in few tokens.
        size: Greatest size of the vocabulary, control tokens included.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import Qwen2Tokenizer

    # An empty tokenizer of the right class says how texts are cut up before words are learned.
    blank = Qwen2Tokenizer().backend_tokenizer
    learner = Tokenizer(BPE())
    learner.normalizer, learner.pre_tokenizer = blank.normalizer, blank.pre_tokenizer
    trainer = BpeTrainer(
        vocab_size=size - len(SPECIAL),
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = json.loads(learner.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(pair) for pair in learned["merges"]],  # type: ignore[misc]
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    tokenizer.chat_template = (
        files("lingshu_train").joinpath("templates", "chat.jinja").read_text(encoding="utf-8")
    )
    return tokenizer


def build_processor(tokenizer: Any, shape: Shape) -> Any:
    """Returns the processor of a model of this shape."""
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    size = {"shortest_edge": shape.min_pixels, "longest_edge": shape.max_pixels}
    patch = shape.vision.patch
    build: Any = Qwen2_5_VLProcessor
    return build(
        image_processor=Qwen2VLImageProcessor(size=size, patch_size=patch),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(size=size, patch_size=patch),
        chat_template=tokenizer.chat_template,
    )


def model_config(shape: Shape, tokenizer: Any | None) -> Any:
    """Returns the configuration of a model of this shape.

    Args:
        shape: What the recipe says.
        tokenizer: Gives the control tokens, and the rows of the embedding where the recipe does
            not; None leaves both as Qwen2.5-VL has them.
    """
    from transformers import Qwen2_5_VLConfig

    vision, language = shape.vision, shape.language
    width = language.hidden // language.heads
    # Time, height and width share half the head's size as in Qwen2.5-VL: 16, 24 and 24 of 64.
    side = 3 * width // 16
    text = {
        "vocab_size": language.vocabulary or QWEN_VOCABULARY,
        "hidden_size": language.hidden,
        "intermediate_size": language.intermediate,
        "num_hidden_layers": language.layers,
        "num_attention_heads": language.heads,
        "num_key_value_heads": language.kv_heads,
        "max_position_embeddings": language.positions,
        "initializer_range": shape.initializer_range,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": language.rope_theta,
            "mrope_section": [width // 2 - 2 * side, side, side],
        },
        "tie_word_embeddings": language.tied,
    }
    top: dict[str, Any] = {"tie_word_embeddings": language.tied}
    if tokenizer is not None:
        number = tokenizer.convert_tokens_to_ids
        text["vocab_size"] = language.vocabulary or len(tokenizer)
        text["bos_token_id"] = number("<|endoftext|>")
        text["eos_token_id"] = number("<|im_end|>")
        text["pad_token_id"] = number("<|endoftext|>")
        for name in ("image_pad", "video_pad", "vision_start", "vision_end"):
            top[f"{name.removesuffix('_pad')}_token_id"] = number(f"<|{name}|>")
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config={
            "depth": vision.depth,
            "hidden_size": vision.hidden,
            "intermediate_size": vision.intermediate,
            "num_heads": vision.heads,
            "window_size": vision.window,
            "patch_size": vision.patch,
            "fullatt_block_indexes": list(vision.full_attention),
            "out_hidden_size": language.hidden,
            "initializer_range": shape.initializer_range,
        },
        **top,
    )


def build_model(shape: Shape, tokenizer: Any) -> Any:
    """Returns a model with random weights that follow from the recipe's seed alone."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    config = model_config(shape, tokenizer)
    config.dtype = getattr(torch, shape.dtype)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(shape.seed)
        build: Any = Qwen2_5_VLForConditionalGeneration
        model = build(config)
    model = model.to(config.dtype)
    ends = [config.text_config.eos_token_id, config.text_config.bos_token_id]
    model.generation_config.update(
        bos_token_id=config.text_config.bos_token_id,
        eos_token_id=ends,
        pad_token_id=config.text_config.pad_token_id,
        do_sample=False,
        max_new_tokens=shape.max_new_tokens,
    )
    return model


def write_base(shape: Shape, corpus: Manifest, folder: Path) -> Any:
    """Writes model, tokenizer and processor into a folder and returns the model."""
    tokenizer = learn_tokenizer(corpus_texts(corpus), shape.tokens)
    model = build_model(shape, tokenizer)
    model.save_pretrained(folder)
    build_processor(tokenizer, shape).save_pretrained(folder)
    return model
