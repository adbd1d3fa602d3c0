"""The offline writer: texts from metadata, by wordings, where no model is asked."""

from collections import Counter

from lingshu_core.records import Box, Imaging, Question
from lingshu_synth.card import Card, visible_fields, word
from lingshu_synth.generator import Item
from lingshu_synth.naming import MODALITY_WORDS, place, readable
from lingshu_synth.phrasing import choose, fill, phrasings


def long_caption(item: Item, card: Card, seed: int) -> str:
    """Returns a caption of several sentences: kind of picture, findings, where they are."""
    record = item.record
    assert isinstance(record, Imaging)
    tables = phrasings("captions.en")["long"]
    fields = visible_fields(record, card)
    spot = (seed, item.id)
    said = [
        word(tuple(tables[name]), fields, *spot, name)
        for name in ("opening", "acquisition", "laterality", "findings")
        if name in ("opening", "acquisition") or name in fields
    ]
    said += _regions(item, tables, spot)
    if "absent" in fields:
        said.append(word(tuple(tables["absent"]), fields, *spot, "absent"))
    return " ".join(sentence for sentence in said if sentence)


def _regions(item: Item, tables: dict[str, list[str]], spot: tuple[object, ...]) -> list[str]:
    if not item.shots:
        return []
    counts = Counter(readable(box.label) for box in item.boxes if box.label)
    shot = item.shots[0]
    said = []
    for label, count in counts.items():
        largest = next(b for b in item.boxes if b.label and readable(b.label) == label)
        fields = {
            "region": label,
            "count": str(count),
            "place": place(largest, shot.width, shot.height),
            "share": _percent(largest, shot.width * shot.height),
        }
        wordings = tables["one" if count == 1 else "several"]
        said.append(word(tuple(wordings), fields, *spot, label))
    return said


def _percent(box: Box, area: int) -> str:
    share = 100 * box.width * box.height / area
    return "less than 1 %" if share < 1 else f"about {round(share)} %"


def rationale(question: Question, seed: int) -> str | None:
    """Returns a short reasoning for a template question; None where its tags say too little."""
    tables = phrasings("cot.en").get(question.tags.get("topic", ""))
    fields = _known(question)
    if tables is None or fields is None:
        return None
    outcome = fields["answer"] if question.answer_kind == "closed" else question.answer_kind
    wordings = tables.get(outcome)
    if wordings is None:
        return None
    wording = choose(wordings, seed, question.id, "rationale")
    try:
        return fill(wording, **fields)
    except KeyError:
        return None


def _known(question: Question) -> dict[str, str] | None:
    if question.answer is None:
        return None
    fields = {"answer": question.answer}
    topic = question.tags.get("topic")
    if topic == "modality" and question.modality in MODALITY_WORDS:
        fields["truth"] = MODALITY_WORDS[question.modality][1]
    if topic == "organ" and "organ" in question.tags:
        fields["truth"] = question.tags["organ"]
    if "subject" in question.tags:
        fields["subject"] = question.tags["subject"]
    if question.answer_kind == "choice" and len(question.answer) == 1:
        fields |= {"letter": question.answer, "text": question.option_text(question.answer)}
    return fields
