"""What reports and captions of the small collection say: several wordings of the same facts."""

import numpy as np

from lingshu_core.modality import Modality
from lingshu_data.nano.phantoms import PHANTOMS
from lingshu_data.nano.views import View

PICTURES = {
    Modality.CT: "CT slice",
    Modality.MRI: "MRI slice",
    Modality.XRAY: "radiograph",
    Modality.ULTRASOUND: "ultrasound picture",
    Modality.FUNDUS: "fundus photograph",
    Modality.HISTOPATHOLOGY: "histopathology section",
    Modality.MICROSCOPY: "microscopy picture",
    Modality.DERMOSCOPY: "dermoscopy picture",
}

_FINDINGS = {
    True: (
        "The {picture} shows {organ}. There is a {finding} in the {place} part of the picture.",
        "{Picture} of {organ} with one round {finding}, which lies in the {place} quarter.",
        "A {finding} is seen in the {place} part of this {picture} of {organ}.",
        "This {picture} of {organ} has a well defined {finding} in its {place} part.",
    ),
    False: (
        "The {picture} shows {organ}. No {finding} is seen in any part of the picture.",
        "{Picture} of {organ} without a {finding} in any of its quarters.",
        "There is no {finding} on this {picture} of {organ}, which looks as expected.",
        "This {picture} of {organ} is clear, and a {finding} cannot be made out.",
    ),
}
_IMPRESSIONS = {
    True: ("{Finding} in the {place} part.", "One {finding}, {place}.", "{Place} {finding}."),
    False: ("No {finding}.", "{Finding} absent.", "Nothing abnormal, no {finding}."),
}
_SHORT = ("{Picture}.", "{Picture}, {organ}.", "Seen: {organ}.")


def place_words(place: tuple[int, int]) -> str:
    """Returns a quarter of the picture in words: `upper left`."""
    column, row = place
    return f"{('upper', 'lower')[row]} {('left', 'right')[column]}"


def findings(view: View, random: np.random.Generator) -> str:
    """Returns a sentence or two on everything the view shows; ten words and more."""
    return _say(_FINDINGS[view.place is not None], view, random)


def impression(view: View, random: np.random.Generator) -> str:
    """Returns the conclusion in a few words."""
    return _say(_IMPRESSIONS[view.place is not None], view, random)


def short_caption(view: View, random: np.random.Generator) -> str:
    """Returns a caption too short to be kept."""
    return _say(_SHORT, view, random)


def _say(wordings: tuple[str, ...], view: View, random: np.random.Generator) -> str:
    words = {
        "picture": PICTURES[view.modality],
        "organ": f"the {view.organ}" if view.organ else "a part of the body",
        "finding": PHANTOMS[view.modality].finding,
        "place": place_words(view.place) if view.place else "",
    }
    capitals = {name.capitalize(): text[:1].upper() + text[1:] for name, text in words.items()}
    return wordings[random.integers(len(wordings))].format(**words, **capitals)
