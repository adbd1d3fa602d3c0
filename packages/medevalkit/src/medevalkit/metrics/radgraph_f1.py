"""RadGraph-F1: entities and relations that a model finds in both reports (Jain et al., 2021).

The mean of the F1 of entities and of relations, as RadCliQ takes it. A report is one sentence;
signs stand apart from words.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from medevalkit.dygie import Archive, Dygie, Found, read_archive
from medevalkit.extras import needed
from medevalkit.metric import Pair, Weights, by_model
from medevalkit.published import EXTRA, device, each, hub_file, load
from medevalkit.radgraph import Annotation, overlap
from medevalkit.settings import ReportSettings

NAME = "radgraph-f1"
BERT = "radgraph-f1-bert"
FILE = "radgraph.tar.gz"
_SIGNS = re.compile(r"([/,:.!?()])")


def words_of(report: str) -> list[str]:
    """Returns the words of a report, signs apart."""
    return _SIGNS.sub(r" \1 ", report).split()


def annotation(words: Sequence[str], found: Found) -> Annotation:
    """Returns entities by number, each with its relations to other entities."""
    numbers = {span: str(number) for number, span in enumerate(found.entities, 1)}
    return {
        numbers[span]: {
            "tokens": " ".join(words[span[0] : span[1] + 1]),
            "label": label,
            "relations": [
                [kind, numbers[other]]
                for (one, other), kind in found.relations.items()
                if one == span and other in numbers
            ],
        }
        for span, label in found.entities.items()
    }


class RadGraph:
    """RadGraph's model."""

    def __init__(self, places: Mapping[str, str], settings: ReportSettings) -> None:
        place = Path(places[NAME])
        path = place if (place / "weights.th").is_file() else hub_file(NAME, places[NAME], FILE)
        archive = read_archive(path, "radgraph")
        name = places[BERT] if places[BERT] != _PUBLISHED[BERT] else archive.encoder
        self._dygie = Dygie(archive, _Encoder(archive, name))

    def measure(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Returns the F1 of every pair; an empty text has no entities."""
        texts = [text for pair in pairs for text in (pair.response, pair.reference)]
        found = each(texts, self._annotations, 1)
        return [
            {NAME: overlap(found[pair.response], found[pair.reference]).combined} for pair in pairs
        ]

    def _annotations(self, texts: list[str]) -> list[Annotation]:
        return [annotation(words, self._dygie.find(words)) for words in map(words_of, texts)]


class _Encoder:
    """A BERT: the embedding of a word is the mean of its pieces'."""

    def __init__(self, archive: Archive, name: str) -> None:
        self._torch = needed("torch", extra=EXTRA)
        self._longest = archive.longest
        self._tokenizer = load("AutoTokenizer", BERT, name)
        config = load("AutoConfig", BERT, name)
        model = needed("transformers", extra=EXTRA).AutoModel.from_config(config)
        state = archive.encoder_state()
        wanted = {one for one in model.state_dict() if not one.startswith("pooler.")}
        try:
            chosen = {one: state[one] for one in wanted}
            model.load_state_dict(chosen, strict=False)
        except (KeyError, RuntimeError) as error:
            raise DataError(
                f"does not fit the encoder {name}: {error}", path=archive.path
            ) from None
        self._model = model.to(device()).eval()

    def __call__(self, words: Sequence[str]) -> Any:
        """Returns the embeddings of words, (words, size); of a word without pieces zeros."""
        pieces = [self._tokenizer(word, add_special_tokens=False)["input_ids"] for word in words]
        flat = [piece for one in pieces for piece in one]
        embedded = self._pieces(flat)
        means, start = [], 0
        for one in pieces:
            end = start + len(one)
            row = embedded[start:end]
            means.append(row.mean(dim=0) if one else embedded.new_zeros(embedded.shape[1]))
            start = end
        return self._torch.stack(means)

    def _pieces(self, flat: list[int]) -> Any:
        """Returns the embeddings of word pieces, read in parts that each have their ends."""
        start, end = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        room = self._longest - 2
        found = []
        for first in range(0, max(1, len(flat)), room):
            ids = [start, *flat[first : first + room], end]
            tensor = self._torch.tensor([ids], device=self._model.device)
            found.append(self._model(input_ids=tensor).last_hidden_state[0, 1:-1])
        return self._torch.cat(found)


_PUBLISHED = {
    NAME: "StanfordAIMI/RRG_scorers",
    BERT: "microsoft/BiomedNLP-PubMedBERT-base-uncased-abstract-fulltext",
}
METRIC = by_model(
    NAME,
    "entities and relations that both reports share (RadGraph-F1, RadGraph 1.0)",
    Weights(_PUBLISHED, RadGraph, "mean of the F1 of entities and of relations"),
)
