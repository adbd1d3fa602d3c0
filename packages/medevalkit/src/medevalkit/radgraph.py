"""RadGraph F1: how many entities and relations two annotated reports share (Yu et al., 2023)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Annotation = Mapping[str, Any]
"""Entities of a report by number, each with `tokens`, `label` and `relations`, a list of pairs of a
type and the number of another entity: as RadGraph's own inference writes them."""

Entity = tuple[str, str]
Relation = tuple[Entity, Entity, str]


@dataclass(frozen=True)
class Overlap:
    """F1 of the entities, of the relations, and their mean."""

    entity: float
    relation: float

    @property
    def combined(self) -> float:
        """The mean of both, which RadCliQ takes."""
        return (self.entity + self.relation) / 2


def overlap(said: Annotation, wanted: Annotation) -> Overlap:
    """Returns how far two annotations agree; words are compared as they are written.

    Entities and relations are sets: what stands twice counts once. Two empty sets share nothing.
    """
    return Overlap(
        _f1(set(_entities(said).values()), set(_entities(wanted).values())),
        _f1(_relations(said), _relations(wanted)),
    )


def _entities(annotation: Annotation) -> dict[str, Entity]:
    return {number: (one["tokens"], one["label"]) for number, one in annotation.items()}


def _relations(annotation: Annotation) -> set[Relation]:
    entities = _entities(annotation)
    return {
        (entities[number], entities[str(other)], kind)
        for number, one in annotation.items()
        for kind, other in one["relations"]
    }


def _f1(said: set[Any], wanted: set[Any]) -> float:
    common = len(said & wanted)
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)
