"""Model families in transformers: every one is asked by its own chat template and processor.

Random weights, published layouts. The oracle is the way that transformers documents: one question
at a time through the processor's own `apply_chat_template`.
"""

import pytest
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.protocol import render
from medevalkit.run import run
from medevalkit.settings import RunSettings

pytestmark = pytest.mark.slow
TOKENS = 8
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
LANGUAGE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 4096,
    # Tied random weights would only say the last word again.
    "tie_word_embeddings": False,
}
TURNS = ["<pad>", "<s>", "</s>"]
SHOWN = (
    "{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}PICTURE{% endif %}{% endfor %}{% endif %}"
)
BODY = (
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}" + SHOWN
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n" + BODY + "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAVA = (
    "{% for m in messages %}{{ m['role'].upper() }}: " + BODY + " {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n" + BODY + "<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


def with_picture(template, mark):
    return template.replace("PICTURE", mark)


def qwen25_vl(tiny_model):
    from transformers import AutoProcessor, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    config = Qwen2_5_VLConfig.from_pretrained(tiny_model)
    config.tie_word_embeddings = config.text_config.tie_word_embeddings = False
    return Qwen2_5_VLForConditionalGeneration(config), AutoProcessor.from_pretrained(tiny_model)


def qwen3_vl(tokenizer_of):
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>"]
    special += ["<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = tokenizer_of(special, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    ids = dict(zip(special, tokenizer.convert_tokens_to_ids(special), strict=True))
    config = Qwen3VLConfig(
        text_config={
            **LANGUAGE,
            "vocab_size": len(tokenizer),
            "head_dim": 32,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e4,
                "mrope_section": [6, 5, 5],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": 8,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=False,
    )
    template = with_picture(CHATML, "<|vision_start|><|image_pad|><|vision_end|>")
    pictures = Qwen2VLImageProcessor(patch_size=8, min_pixels=32 * 32, max_pixels=64 * 64)
    processor = Qwen3VLProcessor(
        pictures, tokenizer, Qwen3VLVideoProcessor(), chat_template=template
    )
    return Qwen3VLForConditionalGeneration(config), processor


def llava(tokenizer_of):
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    special = [*TURNS, "<image>"]
    tokenizer = tokenizer_of(special, begin="<s>", eos_token="</s>", pad_token="<pad>")
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**VISION),
        text_config=LlamaConfig(**LANGUAGE, vocab_size=len(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=False,
    )
    side = {"height": 32, "width": 32}
    processor = LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        # Of the tower's class token.
        num_additional_image_tokens=1,
        chat_template=with_picture(LLAVA, "<image>\n"),
    )
    return LlavaForConditionalGeneration(config), processor


def gemma3(tokenizer_of):
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessor,
        Gemma3Processor,
        Gemma3TextConfig,
        SiglipVisionConfig,
    )

    named = {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    }
    special = ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>", *named.values()]
    tokenizer = tokenizer_of(
        special,
        begin="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        extra_special_tokens=named,
    )
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in named.items()}
    config = Gemma3Config(
        text_config=Gemma3TextConfig(
            **LANGUAGE,
            vocab_size=len(tokenizer),
            head_dim=32,
            query_pre_attn_scalar=32,
            sliding_window=16,
            layer_types=["sliding_attention", "full_attention"],
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=tokenizer.bos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
        vision_config=SiglipVisionConfig(**VISION),
        mm_tokens_per_image=4,
        boi_token_index=ids["boi_token"],
        eoi_token_index=ids["eoi_token"],
        image_token_index=ids["image_token"],
        tie_word_embeddings=False,
    )
    processor = Gemma3Processor(
        Gemma3ImageProcessor(size={"height": 32, "width": 32}),
        tokenizer,
        image_seq_length=4,
        chat_template=with_picture(GEMMA, "<start_of_image>"),
    )
    return Gemma3ForConditionalGeneration(config), processor


def internvl(tokenizer_of):
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
        InternVLVisionConfig,
        Qwen2Config,
    )

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values()]
    tokenizer = tokenizer_of(
        special, eos_token="<|im_end|>", pad_token="<|endoftext|>", extra_special_tokens=named
    )
    config = InternVLConfig(
        vision_config=InternVLVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=(32, 32),
            patch_size=(8, 8),
        ),
        text_config=Qwen2Config(**LANGUAGE, vocab_size=len(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    processor = InternVLProcessor(
        GotOcr2ImageProcessor(size={"height": 32, "width": 32}, max_patches=2),
        tokenizer,
        InternVLVideoProcessor(),
        image_seq_length=4,
        chat_template=with_picture(CHATML, "<IMG_CONTEXT>\n"),
    )
    return InternVLForConditionalGeneration(config), processor


FAMILIES = {"qwen3-vl": qwen3_vl, "llava": llava, "gemma3": gemma3, "internvl": internvl}


@pytest.fixture(scope="module", params=["qwen2.5-vl", *FAMILIES])
def family(request, tmp_path_factory, tokenizer_of):
    """Returns the folder of a model of each family."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    if request.param == "qwen2.5-vl":
        model, processor = qwen25_vl(request.getfixturevalue("tiny_model"))
    else:
        model, processor = FAMILIES[request.param](tokenizer_of)
    # Matrices of the usual size make every answer the same word.
    for weights in model.parameters():
        if weights.ndim > 1:
            torch.nn.init.normal_(weights, std=0.2)
    folder = tmp_path_factory.mktemp(request.param)
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def asked(model, task, *more):
    fixed = [f"sampling.max_new_tokens={TOKENS}", "engine.dtype=float32"]
    given = [f"model=hf:{model}", f'tasks=["manifest:{task}"]', *fixed, *more]
    return load_recipe(RunSettings, None, given)


def answers(out):
    return {said.item: said for said in Manifest(out / "predictions").of(Prediction)}


def documented(folder, task):
    """Yields by item what transformers answers when it is asked as its documentation says."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(folder, dtype="float32").eval()
    processor = AutoProcessor.from_pretrained(folder)
    for record in Manifest(task):
        content = []
        for piece in render("direct", record, None)[0].content:
            if piece.image is None:
                content.append({"type": "text", "text": piece.text})
            else:
                with Pillow.open(task / piece.image.path) as file:
                    content.append({"type": "image", "image": file.convert("RGB")})
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            tokens = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
        width = inputs["input_ids"].shape[1]
        said = processor.tokenizer.decode(tokens[0, width:], skip_special_tokens=True)
        yield record.id, (said, width)


def test_a_family_answers_as_transformers_documents_it(family, toy, tmp_path):
    task = toy(6, pictures=3)
    run(asked(family, task), tmp_path / "out")
    found = answers(tmp_path / "out")
    expected = dict(documented(family, task))
    assert {item: (said.response, said.prompt_tokens) for item, said in found.items()} == expected
    assert len({said.response for said in found.values()}) > 1, "nothing depends on the question"


def test_a_family_answers_without_its_pictures(family, toy, tmp_path):
    task = toy(4, pictures=2)
    run(asked(family, task), tmp_path / "shown")
    run(asked(family, task, "blind=true"), tmp_path / "blind")
    shown, blind = answers(tmp_path / "shown"), answers(tmp_path / "blind")
    assert all(said.finish_reason in {"stop", "length"} for said in blind.values())
    assert all(shown[item].prompt_tokens > said.prompt_tokens for item, said in blind.items())


@pytest.mark.parametrize("template", [CHATML, None], ids=["chat", "base"])
def test_a_model_of_text_alone(template, tokenizer_of, toy, tmp_path):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    special = [*TURNS, "<|im_start|>", "<|im_end|>"]
    tokenizer = tokenizer_of(special, begin="<s>", eos_token="</s>", pad_token="<pad>")
    tokenizer.chat_template = template
    config = transformers.LlamaConfig(**LANGUAGE, vocab_size=len(tokenizer))
    model = transformers.LlamaForCausalLM(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")

    task = toy(4, pictures=2)
    run(asked(tmp_path / "model", task), tmp_path / "shown")
    refused = answers(tmp_path / "shown").values()
    assert {said.error for said in refused} == {"the model takes no pictures"}
    run(asked(tmp_path / "model", task, "blind=true"), tmp_path / "blind")
    found = answers(tmp_path / "blind")
    for record in Manifest(task):
        said = found[record.id]
        assert said.finish_reason in {"stop", "length"}
        (message,) = render("direct", record.replace(images=()), None)
        chat = [{"role": "user", "content": message.text}]
        prompt = (
            tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
            if template
            else tokenizer(message.text).input_ids
        )
        assert said.prompt_tokens == len(prompt)
