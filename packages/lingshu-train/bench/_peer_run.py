"""One contender of `peers.py`, run in its own environment; imports nothing of ours but for `ours`.

    python _peer_run.py NAME FOLDER

Prints the CPU seconds and the tokens of the steps that count. Every trainer that stands on the
Hugging Face one is timed at the same place, its `on_step_end`, and its tokens are counted where
they reach the model: padding counts for nobody.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

WARM, BATCH, EPOCHS, LENGTH = 4, 8, 2, 8192
SETTINGS = {
    "per_device_train_batch_size": 1, "gradient_accumulation_steps": BATCH,
    "num_train_epochs": EPOCHS, "learning_rate": 1e-3, "warmup_steps": 2, "weight_decay": 0.0,
    "lr_scheduler_type": "cosine", "report_to": "none", "save_strategy": "no",
    "logging_steps": 10_000, "dataloader_num_workers": 0, "disable_tqdm": True, "seed": 0,
}  # fmt: skip


class Clock:
    """CPU seconds at the end of every optimizer step, and the tokens seen until then."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.at: list[int] = []
        self.tokens = 0

    def step(self) -> None:
        """Notes the end of a step."""
        self.seconds.append(time.process_time())
        self.at.append(self.tokens)

    def watch_trainers(self) -> None:
        """Times every trainer and counts what any Qwen2.5-VL model is given."""
        # The part below the head: TRL puts a forward of its own over the whole.
        from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel as Model
        from transformers.trainer_callback import CallbackHandler

        ended, forward = CallbackHandler.on_step_end, Model.forward
        clock = self

        def on_step_end(self: Any, *given: Any, **more: Any) -> Any:
            clock.step()
            return ended(self, *given, **more)

        def counted(self: Any, *given: Any, **more: Any) -> Any:
            clock.tokens += tokens_of(more["input_ids"], more.get("attention_mask"))
            return forward(self, *given, **more)

        CallbackHandler.on_step_end = on_step_end
        Model.forward = counted

    def figures(self) -> dict[str, float]:
        """Returns what the steps after the first few took."""
        warm = min(WARM, len(self.seconds) // 2) - 1
        warm = max(0, warm)
        return {
            "steps": len(self.seconds),
            "tokens": self.at[-1] - self.at[warm],
            "cpu_s": round(self.seconds[-1] - self.seconds[warm], 3),
        }


def tokens_of(ids: Any, mask: Any) -> int:
    """Returns how many tokens are no padding."""
    if mask is None:
        return int(ids.numel())
    if mask.ndim == 4:  # who sees whom: padding does not see itself
        seen = mask.diagonal(dim1=-2, dim2=-1)
        return int((seen >= 0 if seen.dtype.is_floating_point else seen).sum())
    # A mask of numbers says to which sample of the row a token belongs, 0 to none.
    return int((mask > 0).sum())


def samples(folder: Path) -> list[dict[str, Any]]:
    """Returns question, answer and picture of every sample."""
    text = (folder / "samples.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)
    return found


def hugging_face(folder: Path) -> None:
    """The Trainer with the processor called in its collator, as its documentation shows it."""
    from PIL import Image
    from transformers import (
        AutoProcessor,
        Qwen2_5_VLForConditionalGeneration,
        Trainer,
        TrainingArguments,
    )

    processor = AutoProcessor.from_pretrained(folder / "base")

    def collate(batch: list[dict[str, Any]]) -> dict[str, Any]:
        (sample,) = batch
        asked = [{"role": "user", "content": [
            {"type": "image"}, {"type": "text", "text": sample["question"]},
        ]}]  # fmt: skip
        prompt = processor.apply_chat_template(asked, add_generation_prompt=True)
        picture = Image.open(sample["picture"]).convert("RGB")
        whole = processor(
            text=prompt + sample["answer"] + "<|im_end|>\n", images=[picture], return_tensors="pt"
        )
        learned = len(processor.tokenizer(sample["answer"] + "<|im_end|>\n")["input_ids"])
        labels = whole["input_ids"].clone()
        labels[:, :-learned] = -100
        return {**whole, "labels": labels}

    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder / "base", dtype="float32")
    Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder / "out"), use_cpu=True, remove_unused_columns=False, **SETTINGS
        ),
        train_dataset=samples(folder),
        data_collator=collate,
    ).train()


def trl(folder: Path) -> None:
    """SFTTrainer with its own collator for pictures; it refuses to pack them."""
    from datasets import Dataset, Image
    from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration
    from trl import SFTConfig, SFTTrainer

    rows = [
        {
            "images": [sample["picture"]],
            "prompt": [{"role": "user", "content": sample["question"]}],
            "completion": [{"role": "assistant", "content": sample["answer"]}],
        }
        for sample in samples(folder)
    ]
    table = Dataset.from_list(rows).cast_column("images", [Image()])
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder / "base", dtype="float32")
    SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder / "out"), use_cpu=True, bf16=False, max_length=None,
            gradient_checkpointing=False, **SETTINGS,
        ),
        train_dataset=table,
        processing_class=AutoProcessor.from_pretrained(folder / "base"),
    ).train()  # fmt: skip


def _llama_factory(folder: Path, packed: bool) -> None:
    from llamafactory.train.tuner import run_exp

    rows = [
        {
            "messages": [
                {"role": "user", "content": "<image>" + sample["question"]},
                {"role": "assistant", "content": sample["answer"]},
            ],
            "images": [sample["picture"]],
        }
        for sample in samples(folder)
    ]
    data = folder / "llama-factory"
    data.mkdir(exist_ok=True)
    (data / "vqa.json").write_text(json.dumps(rows), encoding="utf-8")
    info = {"vqa": {
        "file_name": "vqa.json", "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user",
                 "assistant_tag": "assistant"},
    }}  # fmt: skip
    (data / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    run_exp({
        "stage": "sft", "do_train": True, "finetuning_type": "full", "dataset": "vqa",
        "model_name_or_path": str(folder / "base"), "dataset_dir": str(data),
        "template": "qwen2_vl", "default_system": "", "cutoff_len": LENGTH,
        "output_dir": str(folder / "out-lf"),
        "overwrite_output_dir": True, "overwrite_cache": True, "use_cpu": True,
        "freeze_vision_tower": False, "freeze_multi_modal_projector": False, "flash_attn": "sdpa",
        "disable_gradient_checkpointing": True, "packing": packed, "neat_packing": packed,
        "image_max_pixels": 50176, "image_min_pixels": 3136, "preprocessing_num_workers": 1,
        **SETTINGS, **({"gradient_accumulation_steps": 1} if packed else {}),
    })  # fmt: skip


def llama_factory(folder: Path) -> None:
    """LLaMA-Factory, unpacked."""
    _llama_factory(folder, packed=False)


def llama_factory_packed(folder: Path) -> None:
    """LLaMA-Factory with `neat_packing`, a row a step."""
    _llama_factory(folder, packed=True)


def _ms_swift(folder: Path, packed: bool) -> None:
    from swift import SftArguments, sft_main
    from swift.template.templates import qwen
    from transformers import AutoTokenizer

    # It takes the picture token's number of Qwen2.5-VL for granted; the small model has another.
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    number = tokenizer.convert_tokens_to_ids("<|image_pad|>")
    for template in (qwen.Qwen2VLTemplate, qwen.Qwen2_5VLTemplate):
        template.image_token_id = number
    os.environ["MAX_PIXELS"] = "50176"
    rows = [
        {
            "messages": [
                {"role": "user", "content": "<image>" + sample["question"]},
                {"role": "assistant", "content": sample["answer"]},
            ],
            "images": [sample["picture"]],
        }
        for sample in samples(folder)
    ]
    path = folder / "swift.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sft_main(SftArguments(
        model=str(folder / "base"), model_type="qwen2_5_vl", template="qwen2_5_vl", system="",
        tuner_type="full", torch_dtype="float32", dataset=[str(path)], output_dir=str(folder),
        max_length=LENGTH, freeze_vit=False, freeze_aligner=False, attn_impl="sdpa",
        gradient_checkpointing=False, packing=packed, use_cpu=True, split_dataset_ratio=0.0,
        load_from_cache_file=False, **{**SETTINGS, "report_to": ["none"]},
    ))  # fmt: skip


def ms_swift(folder: Path) -> None:
    """ms-swift, unpacked."""
    _ms_swift(folder, packed=False)


def ms_swift_packed(folder: Path) -> None:
    """ms-swift with its packing, which asks for flash attention."""
    _ms_swift(folder, packed=True)


RUNS: dict[str, Callable[[Path], None]] = {
    "hugging-face": hugging_face,
    "trl": trl,
    "llama-factory": llama_factory,
    "llama-factory-packed": llama_factory_packed,
    "ms-swift": ms_swift,
    "ms-swift-packed": ms_swift_packed,
}


def main() -> None:
    """Runs one contender."""
    import torch

    torch.set_num_threads(1)
    name, folder = sys.argv[1], Path(sys.argv[2])
    clock = Clock()
    if name.startswith("ours"):
        from _peer_ours import train_ours

        train_ours(folder, clock, name.removeprefix("ours-"))
    else:
        clock.watch_trainers()
        RUNS[name](folder)
    print("FIGURES " + json.dumps(clock.figures()), flush=True)


if __name__ == "__main__":
    main()
