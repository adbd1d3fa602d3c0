"""Every way of committing is read, with every letter of many sets of options; no other way is."""

from pathlib import Path

import pytest

from lingshu_core.answers import parse_choice

DATA = Path(__file__).parent / "data"
SETS = {
    "findings": ["Pneumonia", "Pleural effusion", "Atelectasis", "Edema"],
    "nested": [
        "Edema", "Pulmonary edema", "Acute pulmonary edema", "Pulmonary embolism", "Embolism",
    ],
    "doses": ["0.5 mg", "1.5 mg", "2.5 mg", "5 mg"],
    "chinese": ["肺炎", "胸腔积液", "肺不张", "肺水肿"],
    "ten": [
        "Fibrinolysis activation", "Vitamin K deficiency", "Coagulation cascade activation", "DIC",
        "Platelet dysfunction", "Decreased factor production", "Immune platelet destruction",
        "Hypersplenism", "Decreased anticoagulant metabolism", "Bacteremia",
    ],
    "species": ["S. aureus", "E. coli O157", "C. difficile", "B. fragilis", "H. pylori"],
    "sentences": [
        "Perform an emergency laparotomy within 6 hours",
        "Start intravenous antibiotics and observe",
        "Order a CT scan of the abdomen, pelvis and chest",
        "Discharge the patient with oral analgesics",
    ],
    "shares": ["Less than 5%", "5%", "10%", "More than 10%"],
    "counts": ["1", "2", "3", "4"],
}  # fmt: skip


def fill(template, texts, chosen, other):
    """Puts letters and texts into a template: {L} {l} {F} {T} of the chosen, {O} {OT} of another.

    A boxed letter keeps its braces.
    """
    letters = [chr(ord("A") + i) for i in range(len(texts))]
    marks = {
        "{T}": texts[chosen], "{OT}": texts[other], "{L}": letters[chosen], "{O}": letters[other],
        "{l}": letters[chosen].lower(), "{F}": chr(ord("Ａ") + chosen),
        **{f"{{{letter}}}": text for letter, text in zip("ABCD", texts, strict=False)},
    }  # fmt: skip
    text = template.replace("\\n", "\n")
    for mark, content in marks.items():
        text = text.replace(f"{{{mark}}}", "{\0" + content + "\0}").replace(mark, content)
    return text.replace("\0", "")


def templates(name):
    return (DATA / name).read_text(encoding="utf-8").split("\n")[:-1]


def responses(template):
    for name, texts in SETS.items():
        options = {chr(ord("A") + i): text for i, text in enumerate(texts)}
        for chosen in range(len(texts)):
            # The next option for some letters, the one behind it for others.
            other = (chosen + 1 + (chosen + len(template)) % 2) % len(texts)
            yield name, options, chosen, fill(template, texts, chosen, other)


def test_the_sets_of_templates_are_large():
    assert len(set(templates("committed.txt"))) >= 300
    assert len(set(templates("uncommitted.txt"))) >= 200


@pytest.mark.parametrize("template", [t for t in templates("committed.txt") if t])
def test_a_committed_letter_is_read(template):
    for name, options, chosen, response in responses(template):
        found = parse_choice(response, options)
        assert found.value == chr(ord("A") + chosen), (name, response, found)


@pytest.mark.parametrize("template", templates("uncommitted.txt"))
def test_no_letter_is_read_where_none_is_committed_to(template):
    for name, options, _, response in responses(template):
        found = parse_choice(response, options)
        assert found.value is None, (name, response, found)
        assert found.reason
