"""The same calls through another library; runs in that library's environment, without ours.

python _peer.py distilabel|curator|data-designer URL COUNT CONCURRENCY FOLDER
"""

import os
import sys
from pathlib import Path

WORDS = "the frontal radiograph shows a small opacity in the left lower zone without effusion " * 20


def main() -> None:
    """Runs one of them."""
    name, url, count, concurrency, folder = sys.argv[1:]
    texts = [f"{number} {WORDS}" for number in range(int(count))]
    CLIENTS[name](url, texts, int(concurrency), Path(folder))


def distilabel(url: str, texts: list[str], concurrency: int, folder: Path) -> None:
    """A pipeline of one generation step."""
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    model = OpenAILLM(
        model="mock",
        base_url=url,
        api_key="none-needed",
        generation_kwargs={"max_new_tokens": 400, "temperature": 0.7},
    )
    with Pipeline(name="bench", cache_dir=folder / "cache") as pipeline:
        load = LoadDataFromDicts(
            data=[{"instruction": text} for text in texts], batch_size=concurrency
        )
        write = TextGeneration(llm=model, input_batch_size=concurrency)
        load >> write
    pipeline.run(use_cache=False)


def curator(url: str, texts: list[str], concurrency: int, folder: Path) -> None:
    """One LLM block over a dataset."""
    os.environ["CURATOR_CACHE_DIR"] = str(folder / "cache")
    import tiktoken

    # It would fetch a tokenizer at this point; one of single bytes does for a bench.
    single = tiktoken.Encoding(
        "single", pat_str=r"(?s:.)", mergeable_ranks={bytes([n]): n for n in range(256)},
        special_tokens={},
    )  # fmt: skip
    tiktoken.get_encoding = tiktoken.encoding_for_model = lambda name: single
    from bespokelabs import curator as library
    from datasets import Dataset

    class Write(library.LLM):
        def prompt(self, row: dict[str, str]) -> str:
            return row["text"]

        def parse(self, row: dict[str, str], response: str) -> dict[str, str]:
            return {"text": row["text"], "response": response}

    block = Write(
        model_name="mock",
        backend="openai",
        generation_params={"max_tokens": 400, "temperature": 0.7},
        backend_params={
            "base_url": url,
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 10_000_000_000,
        },
    )
    block(Dataset.from_list([{"text": text} for text in texts]))


def data_designer(url: str, texts: list[str], concurrency: int, folder: Path) -> None:
    """One text column over a seed dataset."""
    import data_designer.config as dd
    import pandas as pd
    from data_designer.interface import DataDesigner

    provider = dd.ModelProvider(
        name="mock", endpoint=url, provider_type="openai", api_key="none-needed"
    )
    sampling = dd.ChatCompletionInferenceParams(
        temperature=0.7, top_p=1.0, max_tokens=400, max_parallel_requests=concurrency
    )
    model = dd.ModelConfig(
        alias="m",
        model="mock",
        provider="mock",
        inference_parameters=sampling,
        skip_health_check=True,
    )
    seeds = folder / "seeds.parquet"
    pd.DataFrame({"text": texts}).to_parquet(seeds)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(seeds)))
    builder.add_column(dd.LLMTextColumnConfig(name="out", prompt="{{ text }}", model_alias="m"))
    designer = DataDesigner(artifact_path=folder / "artifacts", model_providers=[provider])
    designer.create(builder, num_records=len(texts))


CLIENTS = {"distilabel": distilabel, "curator": curator, "data-designer": data_designer}


if __name__ == "__main__":
    main()
