"""Rules for rewritten doctors' answers (paper, section 2.1.4 and Table 11)."""

import re

from lingshu_synth.checks import length_fault
from lingshu_synth.generator import Rejected

_ILLNESS = (
    r"\w*(?:itis|osis|oma|emia|pathy|syndrome|disease|disorder|infection|cancer|tumou?r|diabetes"
    r"|hypertension|asthma|fracture|ulcer|hernia)"
)
_NO_DIAGNOSIS_FOLLOWS = (
    r"(?!(?:to|any|been|had|more|other|further|some|questions?|concerns?|described|mentioned"
    r"|noticed|experienced|shared|already|not|taken|tried)\b)"
)
_DIAGNOSIS = re.compile(
    r"\byou (?:\w+ly )?(?:have|suffer from|are suffering from|have got) (?:an? |the )?"
    rf"{_NO_DIAGNOSIS_FOLLOWS}(?:\w+ ){{0,3}}?{_ILLNESS}\b"
    r"|\b(?:my|the|your) diagnosis is\b|\bI (?:diagnose|am diagnosing)\b|(?:您|你)(?:患有|得了)",
    re.I,
)
_PRESCRIPTION = re.compile(
    r"\b\d+(?:\.\d+)?\s?(?:mg|mcg|ml|iu|tablets?|pills?|capsules?|drops?|puffs?)\b"
    r"|\b(?:once|twice|thrice|(?:two|three|four|\d) times) (?:a|per|every) day\b"
    r"|\b(?:bid|tid|qid|q\d+h|b\.i\.d|t\.i\.d)\b"
    r"|\b(?:start|stop|begin|discontinue|increase|decrease|double) (?:(?:taking|using|the|your) )+"
    r"(?:\w+ )?(?:medication|medicine|tablet|antibiotic|dose|dosage|drug|steroid)s?\b"
    r"|\bI (?:prescribe|am prescribing)\b|每日\d+次|毫克",
    re.I,
)
_IDENTITY = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|\bhttps?://\S+|\bwww\.\S+"
    r"|(?<!\d)(?:\+?\d[\s().-]?){7,15}(?!\d)"
    r"|\b(?:Dr|Mr|Mrs|Ms|Prof)\.? [A-Z][a-z]+\b"
    r"|\b(?:MRN|[Rr]ecord number|[Pp]atient (?:ID|id))\b\s*[:#]?\s*\w+"
    r"|\b(?:[Rr]egards|[Ss]incerely),?\s+(?:Dr\.?\s+)?[A-Z][a-z]+"
    r"|(?i:\b(?:healthcare ?magic|icliniq|chat ?doctor)\b)",
)
_DISCLAIMER = re.compile(
    r"\bnot (?:\w+ ){0,3}?(?:definitive|definite|final|formal|medical|substitute|replacement)\b"
    r"|\b(?:cannot|can't|does not|doesn't|should not|not) (?:\w+ ){0,3}?"
    r"(?:replace|substitute|constitute|be (?:taken|considered|used) as)\b"
    r"|\bonly a (?:doctor|physician|specialist)\b|不(?:能|是|构成).{0,12}?诊断|仅供参考",
    re.I,
)
_SPECIALIST = re.compile(
    r"\b\w+(?:ologist|iatrist|atrician|urgeon|metrist)s?\b"
    r"|\b(?:specialist|internist|physician|general practitioner|family doctor|primary care"
    r"|orthopa?edist|allergist|psychotherapist|dentist|obstetrician|physical therapist"
    r"|physiotherapist|dietitian)s?\b"
    r"|科(?:医生|医师|就诊|门诊)|专科",
    re.I,
)

_FORBIDDEN = (
    ("identity", _IDENTITY),
    ("prescription", _PRESCRIPTION),
    ("diagnosis", _DIAGNOSIS),
)
_NEEDED = (
    ("no_disclaimer", _DISCLAIMER, "does not say that it is no definitive diagnosis"),
    ("no_specialist", _SPECIALIST, "does not say which kind of doctor to see"),
)


def rewrite_fault(text: str, words: tuple[int, int]) -> Rejected | None:
    """Returns which rule a rewritten answer breaks, if one.

    It names nobody and no address, prescribes nothing, states no diagnosis, says that it is no
    definitive diagnosis and which kind of doctor to see, and is neither too short nor too long.
    """
    for reason, pattern in _FORBIDDEN:
        found = pattern.search(text)
        if found is not None:
            return Rejected(reason, f"says {found[0]!r}")
    for reason, pattern, detail in _NEEDED:
        if pattern.search(text) is None:
            return Rejected(reason, detail)
    return length_fault(text, words)
