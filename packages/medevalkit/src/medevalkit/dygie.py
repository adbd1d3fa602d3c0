"""DyGIE++ (Wadden et al., 2019) as RadGraph's model uses it: entities and relations of a sentence.

Every run of up to eight words is described by its first and last word and its width; one small
network names it, another says which pairs of the likeliest runs are related. The weights are those
that the authors' code writes: `config.json`, `vocabulary/` and `weights.th` in a folder or a
`.tar.gz`. Written anew from the published shapes; coreference and events are not read.
"""

import io
import json
import math
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from medevalkit.extras import needed
from medevalkit.published import EXTRA

Span = tuple[int, int]
"""First and last word, counted from 0."""

_ENCODER = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
_WIDTHS = "_endpoint_span_extractor._span_width_embedding.weight"


@dataclass(frozen=True)
class Archive:
    """A published model, read but not built."""

    path: Path
    config: Mapping[str, Any]
    entities: tuple[str, ...]
    """Labels of entities; the first is empty and stands for none."""
    relations: tuple[str, ...]
    namespace: str
    """Data set that the labels belong to; names of weights contain it."""
    state: Mapping[str, Any]

    @property
    def encoder(self) -> str:
        """The encoder's name on the hub."""
        return str(self._embedder["model_name"])

    @property
    def longest(self) -> int:
        """Word pieces that the encoder reads at a time, its ends included."""
        return int(self._embedder["max_length"])

    @property
    def _embedder(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.config["model"]["embedder"]["token_embedders"]["bert"]
        return found

    def encoder_state(self) -> dict[str, Any]:
        """Returns the encoder's weights."""
        return {
            name.removeprefix(_ENCODER): tensor
            for name, tensor in self.state.items()
            if name.startswith(_ENCODER)
        }


@dataclass(frozen=True)
class Found:
    """What stands in a sentence."""

    entities: dict[Span, str]
    relations: dict[tuple[Span, Span], str]


def read_archive(path: Path, namespace: str) -> Archive:
    """Reads a model from its folder or its `.tar.gz`; no code in the file is run.

    Args:
        path: Where it is.
        namespace: Data set whose labels are taken where the model has several.

    Raises:
        DataError: A part is missing or broken.
    """
    torch = needed("torch", extra=EXTRA)
    try:
        read = _reader(path)
        config = json.loads(read("config.json"))
        space = _namespace(path, namespace)
        labels = [
            tuple(read(f"vocabulary/{space}__{kind}_labels.txt").decode().split("\n"))
            for kind in ("ner", "relation")
        ]
        state = torch.load(io.BytesIO(read("weights.th")), map_location="cpu", weights_only=True)
        entities, relations = (found[:-1] if found[-1] == "" else found for found in labels)
        archive = Archive(path, config, entities, relations, space, state)
        assert entities[0] == "" and archive.encoder and archive.longest > 0
    except Exception as error:  # whatever a broken file makes of itself
        raise DataError(
            f"is no RadGraph model with config.json, vocabulary/ and weights.th "
            f"({type(error).__name__}: {error})",
            path=path,
        ) from None
    return archive


class Dygie:
    """The networks above the encoder.

    Args:
        archive: The model.
        encode: Returns the embeddings of a sentence's words, (words, size).
    """

    def __init__(self, archive: Archive, encode: Callable[[Sequence[str]], Any]) -> None:
        self._torch = needed("torch", extra=EXTRA)
        self._archive = archive
        self._encode = encode
        model = archive.config["model"]
        self._widest = int(model["max_span_width"])
        self._per_word = float(model["modules"]["relation"]["spans_per_word"])
        space = archive.namespace
        try:
            self._widths = archive.state[_WIDTHS]
            self._names = self._network(f"_ner._ner_scorers.{space}__ner_labels.")
            relation = f"{space}__relation_labels."
            self._mentions = self._network(f"_relation._mention_pruners.{relation}_scorer.")
            self._pairs = [
                *self._hidden(f"_relation._relation_feedforwards.{relation}_linear_layers."),
                self._layer(f"_relation._relation_scorers.{relation}"),
            ]
        except KeyError as error:
            raise DataError(f"has no weights {error}", path=archive.path) from None

    def find(self, words: Sequence[str]) -> Found:
        """Returns the entities and relations of a sentence, given as words."""
        if not words:
            return Found({}, {})
        torch = self._torch
        with torch.inference_mode():
            embedded = self._encode(words)
            spans = [
                (first, last)
                for first in range(len(words))
                for last in range(first, min(first + self._widest, len(words)))
            ]
            starts, ends = torch.tensor(spans, device=embedded.device).T
            widths = self._widths.to(embedded.device)[ends - starts]
            vectors = torch.cat([embedded[starts], embedded[ends], widths], dim=-1)
            scores = _with_none(torch, _through(torch, self._names, vectors))
            best = scores.argmax(dim=-1).tolist()
            entities = {
                span: self._archive.entities[label]
                for span, label in zip(spans, best, strict=True)
                if label
            }
            return Found(entities, self._related(spans, vectors, len(words)))

    def _related(self, spans: list[Span], vectors: Any, words: int) -> dict[tuple[Span, Span], str]:
        torch = self._torch
        mentions = _through(torch, self._mentions, vectors)[:, 0]
        kept = mentions.topk(math.ceil(words * self._per_word)).indices.sort().values
        top, score = vectors[kept], mentions[kept]
        count = len(kept)
        left = top[:, None].expand(count, count, -1)
        right = top[None].expand(count, count, -1)
        scores = _through(torch, self._pairs, torch.cat([left, right, left * right], dim=-1))
        scores = scores + score[:, None, None] + score[None, :, None]
        best = _with_none(torch, scores).argmax(dim=-1).tolist()
        chosen = [spans[index] for index in kept.tolist()]
        return {
            (one, other): self._archive.relations[label - 1]
            for one, row in zip(chosen, best, strict=True)
            for other, label in zip(chosen, row, strict=True)
            if label
        }

    def _network(self, prefix: str) -> list[Any]:
        hidden = self._hidden(f"{prefix}0._module._linear_layers.")
        return [*hidden, self._layer(f"{prefix}1._module.")]

    def _hidden(self, prefix: str) -> list[Any]:
        count = int(self._archive.config["model"]["feedforward_params"]["num_layers"])
        return [self._layer(f"{prefix}{number}.") for number in range(count)]

    def _layer(self, prefix: str) -> Any:
        state = self._archive.state
        return state[f"{prefix}weight"], state[f"{prefix}bias"]


def _through(torch: Any, layers: Sequence[Any], values: Any) -> Any:
    """Returns what layers make of values, cut off at zero between them."""
    for number, (weight, bias) in enumerate(layers):
        values = torch.relu(values) if number else values
        values = torch.nn.functional.linear(
            values, weight.to(values.device), bias.to(values.device)
        )
    return values


def _with_none(torch: Any, scores: Any) -> Any:
    """Returns scores with that of no label, 0, before them."""
    return torch.nn.functional.pad(scores, (1, 0))


def _reader(path: Path) -> Callable[[str], bytes]:
    if path.is_dir():
        return lambda name: (path / name).read_bytes()
    with tarfile.open(path) as tar:
        files = {
            member.name.removeprefix("./"): stream.read()
            for member in tar
            if (stream := tar.extractfile(member)) is not None
        }
    return files.__getitem__


def _namespace(path: Path, wanted: str) -> str:
    end = "__ner_labels.txt"
    if path.is_dir():
        names = [one.name for one in sorted((path / "vocabulary").iterdir())]
    else:
        with tarfile.open(path) as tar:
            names = sorted(name.rpartition("/")[2] for name in tar.getnames())
    found = [name.removesuffix(end) for name in names if name.endswith(end)]
    return wanted if wanted in found else found[0]
