"""BERTScore: every token meets its nearest one in the other report (Zhang et al., 2020).

With distilroberta-base, its fifth layer, no weights by rarity, rescaled by the published baseline:
the feature that RadCliQ takes (CXR-Report-Metric 9c9ecad).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lingshu_core.errors import SettingsError
from medevalkit.extras import needed
from medevalkit.metric import Pair, Weights, by_model
from medevalkit.published import EXTRA, device, each, load
from medevalkit.settings import ReportSettings

NAME = "bertscore"
LAYER = 5
"""The layer that the authors chose for distilroberta-base."""
BASELINE = 0.8473319
"""F1 of unrelated English sentences under that layer (bert_score 0.3.13)."""
_ENDS = 2
"""Tokens of an empty text: start and end."""


def rescaled(precision: float, recall: float) -> float:
    """Returns F1 of precision and recall, moved so that unrelated texts have 0 and equal ones 1."""
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0.0
    return (f1 - BASELINE) / (1 - BASELINE)


def matched(said: Any, wanted: Any) -> tuple[float, float]:
    """Returns precision and recall of two texts by the cosine of their tokens.

    Args:
        said: Embeddings of length 1 of the response's tokens, (tokens, size), ends included.
        wanted: The same of the reference. Tokens at the ends can be met, and do not count.
    """
    if len(said) <= _ENDS or len(wanted) <= _ENDS:
        return 0.0, 0.0
    cosines = said @ wanted.T
    precision = cosines.max(dim=1).values[1:-1].mean()
    recall = cosines.max(dim=0).values[1:-1].mean()
    return float(precision), float(recall)


class BertScorer:
    """A RoBERTa that gives tokens their embeddings."""

    def __init__(self, places: Mapping[str, str], settings: ReportSettings) -> None:
        self._torch = needed("torch", extra=EXTRA)
        place = places[NAME]
        self._tokenizer = load("AutoTokenizer", NAME, place, add_prefix_space=True)
        model = load("AutoModel", NAME, place, add_pooling_layer=False)
        if model.config.num_hidden_layers < LAYER:
            raise SettingsError(
                f"{place}: has {model.config.num_hidden_layers} layers, and layer {LAYER} of "
                "distilroberta-base is wanted"
            )
        self._model = model.to(device()).eval()
        self._longest = min(
            self._tokenizer.model_max_length, model.config.max_position_embeddings - 2
        )
        self._batch_size = settings.batch_size

    def measure(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Returns the rescaled F1 of every pair; an empty text meets nothing."""
        texts = [_clean(text) for pair in pairs for text in (pair.response, pair.reference)]
        found = each(texts, self._embed, self._batch_size)
        both = zip(texts[::2], texts[1::2], strict=True)
        return [{NAME: rescaled(*matched(found[said], found[wanted]))} for said, wanted in both]

    def _embed(self, texts: list[str]) -> list[Any]:
        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self._model.device)
        with self._torch.inference_mode():
            layers = self._model(**inputs, output_hidden_states=True).hidden_states
        vectors = self._torch.nn.functional.normalize(layers[LAYER].float(), dim=-1)
        sizes = inputs["attention_mask"].sum(dim=1).tolist()
        return [row[:size] for row, size in zip(vectors, sizes, strict=True)]


def _clean(text: str) -> str:
    return re.sub(" +", " ", text).strip()


METRIC = by_model(
    NAME,
    "tokens that meet their like, F1 rescaled (BERTScore, distilroberta-base)",
    Weights(
        {NAME: "distilbert/distilroberta-base"},
        BertScorer,
        f"layer {LAYER} of distilroberta-base, no idf, rescaled by the baseline {BASELINE}",
    ),
)
