"""The contract of every benchmark, walked from its one example row."""

import io

import pytest
from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_core.messages import ask
from lingshu_core.records import Dialogue, Question, Report
from medevalkit.benchmark import BENCHMARKS, Benchmark
from medevalkit.maker import Maker
from medevalkit.profile import PROFILES
from medevalkit.protocol import render
from medevalkit.suites import SUITES, expand

NAMES = BENCHMARKS.names()


class Shelf:
    """Stands for the writer of a manifest and keeps what is put there."""

    def __init__(self, folder):
        from lingshu_core.manifest import Producer
        from lingshu_core.manifest_writer import ManifestWriter

        made = Producer(package="tests", version="0", command="tests", settings="")
        self.writer = ManifestWriter(folder / "out", producer=made)


@pytest.fixture
def maker(tmp_path):
    """Returns a maker whose folder has every picture that an example could name."""

    def make(benchmark, name):
        folder = tmp_path / "raw"
        folder.mkdir()
        for number, path in enumerate(pictures_named(benchmark.example)):
            picture = Pillow.new("RGB", (40, 30), (number * 40 % 256, 80, 80))
            buffer = io.BytesIO()
            picture.save(buffer, "PNG")
            for place in (path, f"images/{path}", f"imgs/{path}"):
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(buffer.getvalue())
        writer = Shelf(tmp_path).writer
        writer.__enter__()
        card = benchmark.card
        return Maker(name.replace("_", "-"), card.licence, card.split, folder, writer)

    return make


def pictures_named(value):
    """Yields every text in a row that looks like the path of a picture."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from pictures_named(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from pictures_named(inner)
    elif isinstance(value, str) and value.endswith((".png", ".jpg", ".jpeg")):
        yield value


def wrong_answer(record):
    if record.answer_kind == "choice":
        others = [o.letter for o in record.options if o.letter not in record.answer]
        return others[0]
    swapped = {"yes": "no", "no": "yes"}
    return swapped.get(record.answer.lower(), "a xylophone")


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_complete(name):
    card = BENCHMARKS.get(name).card
    for fact in (card.title, card.source, card.split, card.licence, card.citation):
        assert fact.strip()
    assert card.revision is None or len(card.revision) == 40
    assert card.items is not None or card.odd, "an unknown size has to be explained"
    if card.paper_items is not None and card.items != card.paper_items:
        assert any(f"{card.paper_items:,}" in odd for odd in card.odd), "the card says why"


@pytest.mark.parametrize("name", NAMES)
def test_the_example_becomes_an_item_that_can_be_asked(name, maker):
    benchmark = BENCHMARKS.get(name)
    record = benchmark.record(benchmark.example, maker(benchmark, name))
    assert record is not None
    assert record.source.dataset == name.replace("_", "-")
    assert (benchmark.card.kind == "text") == (not record.images)
    messages = ask(record)
    assert messages and messages[-1].role == "user"
    shown = [piece.image for message in messages for piece in message.content if piece.image]
    assert len(shown) == len(record.images)
    for tag in benchmark.breakdown:
        assert tag == "language" or tag in record.tags, f"{tag} is no tag of the example"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("think", [False, True])
def test_the_official_prompt_renders(name, think, maker):
    benchmark = BENCHMARKS.get(name)
    record = benchmark.record(benchmark.example, maker(benchmark, name))
    if isinstance(record, Dialogue):
        with pytest.raises(DataError, match="no prompt for a dialogue"):
            render("official", record, benchmark)
        return
    (message,) = render("official-think" if think else "official", record, benchmark)
    assert "${" not in message.text
    assert ("boxed" in message.text) == (think and not isinstance(record, Report))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("profile", ["strict", "official", "official-2025-06"])
def test_the_gold_scores_full_and_a_wrong_answer_less(name, profile, maker):
    benchmark = BENCHMARKS.get(name)
    record = benchmark.record(benchmark.example, maker(benchmark, name))
    if not isinstance(record, Question) or record.answer is None:
        return  # reports are measured in test_reports, withheld and judged items not at all
    score = PROFILES.get(profile).start(benchmark)
    several = len(record.answer) > 1 and record.answer_kind == "choice"
    if profile != "strict" and several:
        return  # the official kit has no way to credit several letters
    gold = score(record, record.answer)
    if gold.verdict == "unjudged":
        assert profile == "official-2025-06" and benchmark.official.closed == "slake"
        return
    assert gold.verdict == "right", gold
    assert score(record, wrong_answer(record)).verdict == "wrong"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_without_its_pictures_is_blind(name, tmp_path):
    benchmark = BENCHMARKS.get(name)
    writer = Shelf(tmp_path).writer
    with writer:
        maker = Maker("blind", "none", "test", tmp_path, writer, blind=True)
        record = benchmark.record(benchmark.example, maker)
    assert record.images == ()
    ask(record)


def test_suites_name_benchmarks():
    for suite in SUITES.values():
        for task in suite.tasks:
            BENCHMARKS.get(task)
    assert expand(["paper-text", "pubmedqa"]) == list(SUITES["paper-text"].tasks)
    assert len(expand(["all"])) == len(NAMES)
    paper = [task for suite in SUITES.values() for task in suite.tasks]
    # Table 25 counts MedXpertQA once for its two parts.
    assert len(paper) == 17


def test_the_paper_counts_as_many_items_as_its_table_says():
    paper = {task for suite in SUITES.values() for task in suite.tasks} - {"medxpertqa-text"}
    total = sum(BENCHMARKS.get(task).card.paper_items or 0 for task in paper)
    assert total == 152_066


def test_a_benchmark_of_another_file_can_be_named(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from dataclasses import replace\n"
        "from medevalkit.benchmarks.vqa_rad import BENCHMARK as other\n"
        "MINE = replace(other)\n",
        encoding="utf-8",
    )
    assert isinstance(BENCHMARKS.get(f"{path}:MINE"), Benchmark)
