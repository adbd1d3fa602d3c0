"""RaTEScore: entities of a report meet their nearest ones in the other (Zhao et al., 2024).

One model names entities in the text, another gives their words an embedding. A pair of entities
counts by the kinds of both, and less where one is denied and the other is not.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from medevalkit.extras import needed
from medevalkit.metric import Pair, Weights, by_model
from medevalkit.published import EXTRA, device, each, load
from medevalkit.settings import ReportSettings

NAME = "ratescore"
ENCODER = "ratescore-encoder"
KINDS = ("ABNORMALITY", "ANATOMY", "DISEASE", "NON-ABNORMALITY", "NON-DISEASE")
AFFINITY = (
    (
        0.4276119164393705,
        0.6240929990607657,
        0.0034478181112993847,
        0.5431049700217344,
        0.27005425386213877,
    ),
    (
        0.7487824274337533,
        0.2856134859160784,
        0.4592143222158069,
        0.02097055139911715,
        0.00013736314126696204,
    ),
    (
        0.8396510075734789,
        0.9950209388542061,
        0.8460555030578727,
        0.9820689020512646,
        0.3789136708096537,
    ),
    (
        0.16546764653692908,
        0.018670610691852826,
        0.719397354576018,
        0.0009357166071730684,
        0.0927333564267591,
    ),
    (
        0.7759420231214385,
        0.1839139293714062,
        0.10073046076318157,
        0.03860183811876373,
        0.34065681486566446,
    ),
)
"""Weights for long reports, as published: rows by the kind of an entity, columns by the kind of
what it meets, both in the order of `KINDS`."""
DENIED = 0.8716553966489615
"""Factor where one of both is denied."""
NEUTRAL = 0.5
"""Of a report in which, or in whose reference, there is no entity."""
_LONGEST, _LONGEST_ENTITY = 512, 30
_SHORTEST = 3
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_FINDINGS = frozenset(kind for kind in KINDS if kind != "ANATOMY")


def cover(cosines: Sequence[Sequence[float]], kinds: Sequence[str], others: Sequence[str]) -> float:
    """Returns how well one report's entities are met by the other's: a weighted mean of cosines.

    Args:
        cosines: Of every entity (row) with every one of the other report (column).
        kinds: Of the rows.
        others: Of the columns.
    """
    total = weights = 0.0
    for row, kind in zip(cosines, kinds, strict=True):
        nearest = max(range(len(row)), key=row.__getitem__)
        other = others[nearest]
        weight = AFFINITY[KINDS.index(kind)][KINDS.index(other)]
        total += row[nearest] * weight * (DENIED if _opposed(kind, other) else 1.0)
        weights += weight
    return total / weights if weights else 0.0


def harmonic(precision: float, recall: float) -> float:
    """Returns F1 of both directions."""
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def entities(labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Returns first and last token and kind of what begins with `B-` and goes on with `I-`."""
    found: list[tuple[int, int, str]] = []
    open_at: int | None = None
    for index, label in enumerate([*labels, "O"]):
        if open_at is not None and not label.startswith("I-"):
            found.append((open_at, index - 1, labels[open_at][2:]))
            open_at = None
        if label.startswith("B-"):
            open_at = index
    return found


def sentences(report: str) -> list[str]:
    """Returns the sentences of a report; what is shorter than three signs is left out."""
    return [part for part in map(str.strip, _SENTENCE.split(report)) if len(part) >= _SHORTEST]


def _opposed(kind: str, other: str) -> bool:
    return {kind, other} <= _FINDINGS and kind.startswith("NON-") != other.startswith("NON-")


class RateScore:
    """The model that names entities, and the one that compares their words."""

    def __init__(self, places: Mapping[str, str], settings: ReportSettings) -> None:
        self._torch = needed("torch", extra=EXTRA)
        self._tokenizer = load("AutoTokenizer", NAME, places[NAME])
        self._namer = load("AutoModelForTokenClassification", NAME, places[NAME])
        self._namer = self._namer.to(device()).eval()
        self._words = load("AutoTokenizer", ENCODER, places[ENCODER])
        self._encoder = load("AutoModel", ENCODER, places[ENCODER]).to(device()).eval()
        self._batch_size = settings.batch_size

    def measure(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Returns the score of every pair: 0 for an empty response, 0.5 without any entity."""
        texts = [text for pair in pairs for text in (pair.response, pair.reference)]
        parts = {text: sentences(text) for text in texts}
        named = each([s for one in parts.values() for s in one], self._name, self._batch_size)
        found = {text: [e for s in one for e in named[s]] for text, one in parts.items()}
        words = [word for one in found.values() for word, _ in one]
        vectors = each(words, self._embed, self._batch_size)
        return [{NAME: self._score(pair, found, vectors)} for pair in pairs]

    def _score(
        self, pair: Pair, found: Mapping[str, list[tuple[str, str]]], vectors: Mapping[str, Any]
    ) -> float:
        if not pair.response.strip():
            return 0.0
        said, wanted = found[pair.response], found[pair.reference]
        if not said or not wanted:
            return NEUTRAL
        stack = self._torch.stack
        left, right = (stack([vectors[word] for word, _ in one]) for one in (wanted, said))
        cosines = left @ right.T
        kinds, others = [kind for _, kind in wanted], [kind for _, kind in said]
        return harmonic(
            cover(cosines.tolist(), kinds, others), cover(cosines.T.tolist(), others, kinds)
        )

    def _name(self, texts: list[str]) -> list[list[tuple[str, str]]]:
        """Returns the entities of sentences: their words and kind."""
        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt"
        ).to(self._namer.device)
        with self._torch.inference_mode():
            best = self._namer(**inputs).logits.argmax(dim=-1).tolist()
        sizes = inputs["attention_mask"].sum(dim=1).tolist()
        names = self._namer.config.id2label
        found = []
        for row, size, labels in zip(inputs["input_ids"].tolist(), sizes, best, strict=True):
            # The first and the last token are the sentence's ends.
            tokens = self._tokenizer.convert_ids_to_tokens(row[1 : size - 1])
            spans = entities([names[label] for label in labels[1 : size - 1]])
            text = self._tokenizer.convert_tokens_to_string
            found.append([(text(tokens[a : b + 1]).strip(), kind) for a, b, kind in spans])
        return found

    def _embed(self, texts: list[str]) -> list[Any]:
        """Returns the embeddings of the words of entities, of length 1."""
        inputs = self._words(
            texts, padding=True, truncation=True, max_length=_LONGEST_ENTITY, return_tensors="pt"
        ).to(self._encoder.device)
        with self._torch.inference_mode():
            first = self._encoder(**inputs).last_hidden_state[:, 0].float()
        return list(self._torch.nn.functional.normalize(first, dim=-1))


METRIC = by_model(
    NAME,
    "entities that meet their like in the other report (RaTEScore)",
    Weights(
        {NAME: "Angelakeke/RaTE-NER-Deberta", ENCODER: "FremyCompany/BioLORD-2023-C"},
        RateScore,
        "weights for long reports; sentences end at full stops, not where medspacy would end them",
    ),
)
