"""Tiny models of random weights, laid out as the published ones are."""

import json
from pathlib import Path
from typing import Any

import pytest

TEXT = (
    "the heart is normal in size lungs are clear there no pleural effusion or pneumothorax small "
    "left with adjacent atelectasis right lower lobe pneumonia seen today ##s ##al a mass of"
)
WORDS = TEXT.split()
KINDS = ("ABNORMALITY", "ANATOMY", "DISEASE", "NON-ABNORMALITY", "NON-DISEASE")


def words_tokenizer() -> Any:
    """Returns a tokenizer of whole words in lower case, between [CLS] and [SEP]."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *".,:()/"]
    vocabulary = {word: number for number, word in enumerate([*signs, *dict.fromkeys(WORDS)])}
    found = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    found.normalizer = normalizers.BertNormalizer()
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=found,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )


def sizes(**more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(words_tokenizer()),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 66,
        "pad_token_id": 0,
        **more,
    }


def saved(folder: Path, model: Any) -> Path:
    """Writes a model with its tokenizer."""
    model.save_pretrained(folder)
    words_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    if "transformers" in __import__("sys").modules:
        __import__("transformers").logging.disable_progress_bar()


@pytest.fixture(scope="session")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a RoBERTa of six layers, as distilroberta-base has."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    torch.manual_seed(1)
    model = RobertaModel(RobertaConfig(**sizes(num_hidden_layers=6, initializer_range=0.5)))
    return saved(tmp_path_factory.mktemp("roberta"), model)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a BERT, for its configuration and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(2)
    return saved(
        tmp_path_factory.mktemp("bert"), BertModel(BertConfig(**sizes(initializer_range=0.3)))
    )


@pytest.fixture(scope="session")
def chexbert(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with `chexbert.pth`: encoder and fourteen heads of several devices."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    encoder = BertModel(BertConfig.from_pretrained(bert))
    state = {f"module.bert.{name}": tensor for name, tensor in encoder.state_dict().items()}
    for head in range(14):
        state[f"module.linear_heads.{head}.weight"] = torch.randn(4 if head < 13 else 2, 16)
    folder = tmp_path_factory.mktemp("chexbert")
    torch.save({"epoch": 1, "model_state_dict": state}, folder / "chexbert.pth")
    return folder


@pytest.fixture(scope="session")
def radgraph(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder as RadGraph's archive unpacks: config, vocabulary and weights."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("radgraph")
    embedder = {"token_embedders": {"bert": {"model_name": str(bert), "max_length": 32}}}
    config = {
        "dataset_reader": {"max_span_width": 3},
        "model": {
            "embedder": embedder,
            "feature_size": 4,
            "max_span_width": 3,
            "feedforward_params": {"num_layers": 2, "hidden_dims": 8, "dropout": 0.4},
            "modules": {"relation": {"spans_per_word": 0.5}},
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    labels = {"ner": ("", "ANAT-DP", "OBS-DP", "OBS-DA"), "relation": ("modify", "located_at")}
    (folder / "vocabulary").mkdir()
    for kind, names in labels.items():
        (folder / "vocabulary" / f"radgraph__{kind}_labels.txt").write_text("\n".join(names) + "\n")

    torch.manual_seed(4)
    encoder = BertModel(BertConfig.from_pretrained(bert))
    prefix = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
    state = {f"{prefix}{name}": tensor for name, tensor in encoder.state_dict().items()}
    span = 2 * 16 + 4
    state["_endpoint_span_extractor._span_width_embedding.weight"] = torch.randn(3, 4)

    def layer(name: str, inputs: int, outputs: int, shift: float = 0.0) -> None:
        state[f"{name}weight"] = torch.randn(outputs, inputs) / inputs**0.5
        state[f"{name}bias"] = torch.randn(outputs) / 4 + shift

    for start, outputs in (
        ("_ner._ner_scorers.radgraph__ner_labels.", 3),
        ("_relation._mention_pruners.radgraph__relation_labels._scorer.", 1),
    ):
        layer(f"{start}0._module._linear_layers.0.", span, 8)
        layer(f"{start}0._module._linear_layers.1.", 8, 8)
        layer(f"{start}1._module.", 8, outputs)
    forward = "_relation._relation_feedforwards.radgraph__relation_labels._linear_layers."
    layer(f"{forward}0.", 3 * span, 8)
    layer(f"{forward}1.", 8, 8)
    layer("_relation._relation_scorers.radgraph__relation_labels.", 8, 2, 0.3)
    torch.save(state, folder / "weights.th")
    return folder


@pytest.fixture(scope="session")
def namer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a DeBERTa that names entities in RaTEScore's labels."""
    import torch
    from transformers import DebertaV2Config, DebertaV2ForTokenClassification

    labels = ["O", *(f"{mark}-{kind}" for kind in KINDS for mark in "BI")]
    torch.manual_seed(5)
    model = DebertaV2ForTokenClassification(
        DebertaV2Config(
            **sizes(initializer_range=0.6),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
        )
    )
    return saved(tmp_path_factory.mktemp("namer"), model)


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a Llama with a wording of GREEN's task beside it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = words_tokenizer()
    tokenizer.bos_token, tokenizer.eos_token = "[CLS]", "[SEP]"
    torch.manual_seed(6)
    config = LlamaConfig(
        **sizes(num_key_value_heads=1, max_position_embeddings=96),
        bos_token_id=2,
        eos_token_id=3,
    )
    folder = tmp_path_factory.mktemp("green")
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "prompt.txt").write_text("Of the first: $reference\nOf the second: $candidate\n")
    return folder
