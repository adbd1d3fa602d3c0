"""Answers with vLLM: a program of its own, because an engine keeps its memory and its settings.

    python served.py WORK.json ANSWERS.json

It loads the checkpoints one after another, and writes to a file: vLLM itself writes to stdout.
"""

import json
import os
import sys
from pathlib import Path

os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")


def main(work: Path, answers: Path) -> None:
    from PIL import Image
    from vllm import LLM, SamplingParams

    asked = json.loads(work.read_text(encoding="utf-8"))
    found = {}
    for name, folder in asked["checkpoints"].items():
        llm = LLM(
            model=folder, dtype="float32", max_model_len=1024, enforce_eager=True, max_num_seqs=4,
            limit_mm_per_prompt={"image": 2, "video": 0}, enable_chunked_prefill=False,
            disable_log_stats=True,
        )  # fmt: skip
        prompts = [
            {
                "prompt": prompt["text"],
                **(
                    {"multi_modal_data": {"image": [Image.open(p) for p in prompt["pictures"]]}}
                    if prompt["pictures"]
                    else {}
                ),
            }
            for prompt in asked["prompts"]
        ]
        params = SamplingParams(temperature=0.0, max_tokens=asked["tokens"], ignore_eos=True)
        outputs = llm.generate(prompts, params, use_tqdm=False)
        found[name] = [list(output.outputs[0].token_ids) for output in outputs]
        llm.llm_engine.engine_core.shutdown()
        del llm
    answers.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
