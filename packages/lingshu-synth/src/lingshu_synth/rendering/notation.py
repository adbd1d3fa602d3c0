"""Chemical and mathematical notation in the text of exam questions.

Read are LaTeX between dollar signs, `\\ce{…}`, `x^2`, `x_{i}`, `<sub>`, `<sup>`, arrows and named
signs; and formulas as people type them: `2 H2SO4`, `6CO2`, `Ca2+`, `HCO3-`, `(NH4)2SO4`.
"""

import re
from dataclasses import dataclass
from typing import Literal

Style = Literal["text", "sub", "sup", "math"]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style; `math` is LaTeX between dollar signs."""

    text: str
    style: Style = "text"


_ELEMENTS = (
    "He|Li|Be|Ne|Na|Mg|Al|Si|Cl|Ar|Ca|Ti|Cr|Mn|Fe|Co|Ni|Cu|Zn|As|Se|Br|Ag|Cd|Sn|Ba|Pt|Au|Hg|Pb"
    "|H|B|C|N|O|F|P|S|K|I"
)
_COUNT = r"(?:[2-9]|[1-9]\d)?"
_GROUP = rf"(?:(?:{_ELEMENTS}){_COUNT})+"
_FORMULA = re.compile(
    rf"(?<![A-Za-z0-9\\{{_^-])\d{{0,2}}((?:{_GROUP}|\((?:{_GROUP})\){_COUNT})+)(\^?\{{?\d?[+-]\}}?)?"
    r"(?![A-Za-z0-9(])"
)
_ATOM = re.compile(rf"({_ELEMENTS})|(\d+)|([()])")
_MINUS = "\u2212"
_MOLECULES = {"H2", "O2", "N2", "F2", "Cl2", "Br2", "I2", "O3"}
_MATH = re.compile(r"\$([^$\n]{1,400})\$|\\\((.{1,400}?)\\\)")
_SCRIPT = re.compile(
    r"<(sub|sup)>(.{1,40}?)</\1>|([_^])\{([^{}]{1,40})\}|(?<=[\w)\]])(\^)([+-]?\w{1,4})"
    r"|(?<=[A-Za-z)\]])(_)(\w{1,3})"
)
_SIGNS = {
    "times": "×", "cdot": "·", "pm": "±", "Delta": "Δ", "alpha": "α", "beta": "β", "gamma": "γ",  # noqa: RUF001
    "delta": "δ", "mu": "μ", "lambda": "λ", "pi": "π", "sigma": "σ", "omega": "ω", "Omega": "Ω",  # noqa: RUF001
    "circ": "°", "degree": "°", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠",
    "approx": "≈", "rightarrow": "→", "to": "→", "leftarrow": "←", "rightleftharpoons": "⇌",
    "leftrightharpoons": "⇌", "uparrow": "↑", "downarrow": "↓", "infty": "∞", "sqrt": "√",
}  # fmt: skip
_SIGN = re.compile(r"\\(" + "|".join(sorted(_SIGNS, key=len, reverse=True)) + r")(?![A-Za-z])")
_ARROWS = (("<=>", "⇌"), ("<->", "↔"), ("-->", "→"), ("->", "→"), ("<-", "←"))
_GAS = re.compile(r"\b([PSF][aApivI])(CO|O)2\b")
"""Pressures and shares of gases: `PaCO2`, `SpO2`, `FiO2`."""
_CE = re.compile(r"\\ce\{([^{}]{1,200}(?:\{[^{}]*\}[^{}]*)*)\}")
_TAG = re.compile(r"</?(?:br|p|b|i|strong|em|div|span)\s*/?>", re.I)


def parse(text: str) -> list[Run]:
    """Returns a text as runs; nothing of it is lost but the marks."""
    runs: list[Run] = []
    start = 0
    text = _CE.sub(r"\1", _TAG.sub(" ", text))
    for match in _MATH.finditer(text):
        runs += _plain(text[start : match.start()])
        runs.append(Run(match[1] or match[2], "math"))
        start = match.end()
    return _joined([*runs, *_plain(text[start:])])


def _plain(text: str) -> list[Run]:
    text = _SIGN.sub(lambda match: _SIGNS[match[1]], text)
    for typed, sign in _ARROWS:
        text = text.replace(typed, sign)
    text = _GAS.sub(r"\1\2<sub>2</sub>", text)
    runs: list[Run] = []
    start = 0
    for match in _SCRIPT.finditer(text):
        runs += _formulas(text[start : match.start()])
        inner = match[2] or match[4] or match[6] or match[8]
        up = match[1] == "sup" or "^" in (match[3], match[5])
        runs.append(Run(inner.replace("-", _MINUS), "sup") if up else Run(inner, "sub"))
        start = match.end()
    return [*runs, *_formulas(text[start:])]


def _formulas(text: str) -> list[Run]:
    runs: list[Run] = []
    start = 0
    for match in _FORMULA.finditer(text):
        if not _is_formula(match[1], match[2] or ""):
            continue
        runs.append(Run(text[start : match.start(1)]))
        runs += _formula(match[1], match[2] or "")
        start = match.end()
    return [*runs, Run(text[start:])]


def _is_formula(body: str, charge: str) -> bool:
    """Says whether letters and digits are a formula rather than a name such as `C3` or `NF`."""
    elements = {atom[1] for atom in _ATOM.finditer(body) if atom[1]}
    if charge:
        # A dash after a lone letter is a dash: `C-`, `I-`; after metals and halogens it is not.
        return len(elements) > 1 or len(body.rstrip("23456789")) == 2 or body[0] in "HK"
    return body in _MOLECULES or (len(elements) > 1 and any(letter.isdigit() for letter in body))


def _formula(body: str, charge: str) -> list[Run]:
    sign = charge.strip("^{}")
    single = len({atom[1] for atom in _ATOM.finditer(body) if atom[1]}) == 1
    if sign and body[-1].isdigit() and (single or (len(body) > 1 and body[-2:].isdigit())):
        # `Ca2+` is a charge of two, and so is the last digit of `SO42-`.
        body, sign = body[:-1], body[-1] + sign
    runs = [Run(atom[0], "sub" if atom[2] else "text") for atom in _ATOM.finditer(body)]
    return [*runs, Run(sign.replace("-", _MINUS), "sup")] if sign else runs


def _joined(runs: list[Run]) -> list[Run]:
    joined: list[Run] = []
    for run in runs:
        if not run.text:
            continue
        if joined and joined[-1].style == run.style and run.style != "math":
            joined[-1] = Run(joined[-1].text + run.text, run.style)
        else:
            joined.append(run)
    return joined
