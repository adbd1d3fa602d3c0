"""SembScore: the cosine of what CheXbert makes of two reports (Yu et al., 2023; Smit et al., 2020).

CheXbert is a BERT under fourteen classifiers. The score compares the embedding of its first token,
as the published code does (CXR-Report-Metric 9c9ecad), and not the fourteen labels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from medevalkit.extras import needed
from medevalkit.metric import Pair, Weights, by_model
from medevalkit.published import EXTRA, device, each, hub_file, load
from medevalkit.settings import ReportSettings

NAME = "sembscore"
BERT = "sembscore-bert"
FILE = "chexbert.pth"
_LONGEST = 512
_PREFIXES = ("module.bert.", "bert.")
"""Of the encoder's weights in the published file, which was saved from several devices."""


class CheXbert:
    """The encoder of CheXbert."""

    def __init__(self, places: Mapping[str, str], settings: ReportSettings) -> None:
        self._torch = needed("torch", extra=EXTRA)
        path = hub_file(NAME, places[NAME], FILE)
        self._tokenizer = load("AutoTokenizer", BERT, places[BERT])
        config = load("BertConfig", BERT, places[BERT])
        transformers = needed("transformers", extra=EXTRA)
        model = transformers.BertModel(config, add_pooling_layer=False)
        _fill(model, _state(self._torch, path), path)
        self._model = model.to(device()).eval()
        self._longest = min(_LONGEST, config.max_position_embeddings)
        self._batch_size = settings.batch_size

    def measure(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Returns the cosine of every pair; an empty text has the embedding of no words."""
        texts = [" ".join(t.split()) for pair in pairs for t in (pair.response, pair.reference)]
        found = each(texts, self._embed, self._batch_size)
        cosine = self._torch.nn.functional.cosine_similarity
        both = zip(texts[::2], texts[1::2], strict=True)
        return [{NAME: float(cosine(found[s], found[w], dim=0))} for s, w in both]

    def _embed(self, texts: list[str]) -> list[Any]:
        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self._model.device)
        with self._torch.inference_mode():
            return list(self._model(**inputs).last_hidden_state[:, 0].double())


def _state(torch: Any, path: Path) -> dict[str, Any]:
    """Returns the encoder's weights out of a checkpoint; no code in the file is run."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        state = saved.get("model_state_dict", saved)
        return {
            name.removeprefix(prefix): tensor
            for name, tensor in state.items()
            for prefix in _PREFIXES
            if name.startswith(prefix)
        }
    except Exception as error:  # whatever a broken file makes of itself
        raise DataError(f"holds no weights of CheXbert ({error})", path=path) from None


def _fill(model: Any, state: dict[str, Any], path: Path) -> None:
    wanted = set(model.state_dict())
    try:
        model.load_state_dict({name: state[name] for name in wanted})
    except KeyError as error:
        raise DataError(f"has no weights {error} of CheXbert's encoder", path=path) from None
    except RuntimeError as error:
        raise DataError(f"does not fit the encoder of {BERT}: {error}", path=path) from None


METRIC = by_model(
    NAME,
    "cosine of CheXbert's embeddings of both reports (SembScore)",
    Weights(
        {NAME: "StanfordAIMI/RRG_scorers", BERT: "google-bert/bert-base-uncased"},
        CheXbert,
        "CheXbert, first token of the last layer, 512 tokens",
    ),
)
