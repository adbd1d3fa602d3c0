"""MedQuAD: questions and answers from pages of the National Institutes of Health."""

from collections.abc import Iterator
from xml.etree import ElementTree

from lingshu_core.errors import DataError
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import question
from lingshu_data.reader import Row
from lingshu_data.readers.documents import Documents
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the questions of a page; those whose answers were taken back are counted."""
    try:
        tree = ElementTree.fromstring(row.text("text"))
    except ElementTree.ParseError as error:
        raise DataError(f"is no XML: {error}", field="text") from None
    page = row.text("path")
    made = 0
    for pair in tree.iter("QAPair"):
        asked, answer = pair.find("Question"), pair.find("Answer")
        text = " ".join((asked.text or "").split()) if asked is not None else ""
        reply = (
            "\n".join(line.strip() for line in (answer.text or "").splitlines() if line.strip())
            if answer is not None
            else ""
        )
        if not text or not reply:
            intake.note("question without an answer")
            continue
        made += 1
        yield question(
            intake,
            text,
            reply,
            str(asked.get("qid")) if asked is not None else "",
            closed=False,
            group=intake.group(page),
            tags={
                "topic": (tree.findtext("Focus") or "").strip() or "unknown",
                "kind": (asked.get("qtype") or "unknown") if asked is not None else "unknown",
                "collection": tree.get("source") or "unknown",
            },
        )
    if not made:
        raise DataError("has no question with an answer", field="Answer")


SOURCE = Source(
    card=Card(
        title="MedQuAD",
        part=("text",),
        what="Questions and answers from 12 websites of the National Institutes of Health.",
        size="47,457 pairs; the answers of three websites were taken back by their publishers",
        licence="CC-BY-4.0",
        access="open",
        home="https://github.com/abachaa/MedQuAD",
        citation="Ben Abacha and Demner-Fushman, BMC Bioinformatics 2019.",
        layout="a folder for each website with an XML file a page; seen in a copy of four of them",
        rank=15,
    ),
    reader=Documents(("*_QA*/*.xml",)),
    records=records,
    example={
        "path": "5_NIDDK_QA/0000001.xml",
        "text": '<Document id="0000001" source="NIDDK"><Focus>Gout</Focus><QAPairs>'
        '<QAPair pid="1"><Question qid="0000001-1" qtype="information">What is gout ?</Question>'
        "<Answer>Gout is a kind of arthritis.</Answer></QAPair></QAPairs></Document>",
    },
)
