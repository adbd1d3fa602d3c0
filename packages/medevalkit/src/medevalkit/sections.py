"""Findings and impression, as they are read out of a response."""

import re
from dataclasses import dataclass

from lingshu_core.answers.tags import without_thinking

_HEADING = re.compile(
    r"(?:^|(?<=[\s.。}]))[ \t]*(?:[#>*_-]+[ \t]*)*(?:\d+[.)][ \t]*)?[*_]{0,3}"
    r"(?P<name>findings?|impressions?|conclusions?|影像所见|所见|检查所见|诊断印象|印象|诊断意见|结论)"
    r"[*_]{0,3}[ \t]*[:\uff1a][*_]{0,3}",
    re.IGNORECASE,
)
_FINDINGS = ("finding", "影像所见", "所见", "检查所见")


@dataclass(frozen=True, slots=True)
class Sections:
    """The two parts of a report; empty where there is none."""

    findings: str
    impression: str

    @property
    def whole(self) -> str:
        """Both parts, without headings."""
        return f"{self.findings} {self.impression}".strip()


def read_sections(response: str) -> Sections:
    """Returns the sections of a report that a model wrote.

    A heading counts at the start of a line or of a sentence, with or without Markdown. Of several
    headings of one kind the last counts. Text without any heading is findings.
    """
    text, _ = without_thinking(response)
    found = list(_HEADING.finditer(text))
    if not found:
        return Sections(_clean(text), "")
    parts = {"findings": "", "impression": ""}
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    for heading, end in zip(found, ends, strict=True):
        name = "findings" if heading["name"].lower().startswith(_FINDINGS) else "impression"
        parts[name] = _clean(text[heading.end() : end])
    return Sections(**parts)


def _clean(text: str) -> str:
    return " ".join(re.sub(r"[*_#{}]+", " ", text).split())
