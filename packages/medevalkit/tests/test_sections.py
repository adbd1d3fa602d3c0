import pytest

from medevalkit.sections import read_sections

CLEAR = "The lungs are clear."
FINE = "No acute disease."


@pytest.mark.parametrize(
    "response",
    [
        f"Findings: {CLEAR} Impression: {FINE}",
        f"FINDINGS:\n{CLEAR}\n\nIMPRESSION:\n{FINE}",
        f"**Findings:** {CLEAR}\n**Impression:** {FINE}",
        f"### Findings:\n{CLEAR}\n### Conclusion:\n{FINE}",
        f"1. Findings: {CLEAR}\n2. Impression: {FINE}",
        f"<think>Findings: none.</think>Findings: {CLEAR} Impression: {FINE}",
        f"Findings: {{{CLEAR}}} Impression: {{{FINE}}}",
        f"影像所见\uff1a{CLEAR}\n诊断印象\uff1a{FINE}",
    ],
)
def test_sections_are_read_in_many_shapes(response):
    found = read_sections(response)
    assert (found.findings, found.impression) == (CLEAR, FINE)
    assert found.whole == f"{CLEAR} {FINE}"


def test_words_in_a_sentence_are_no_heading():
    found = read_sections("The findings of this study are normal, my impression is good.")
    assert found.impression == ""
    assert found.findings.startswith("The findings of this")


def test_text_without_headings_is_findings():
    assert read_sections(CLEAR).findings == CLEAR
    assert read_sections("").whole == ""
