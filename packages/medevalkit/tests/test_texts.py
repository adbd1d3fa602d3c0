import json
import shutil

import pytest

from lingshu_core.errors import DataError, SettingsError
from medevalkit.metric import Pair
from medevalkit.texts import Frequencies, java, named, read_frequencies, tokenized

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="no Java here")


def test_words_are_numbers_and_runs_of_letters():
    pair = Pair("A 3.5 cm mass, T2-bright.", "No mass!")
    assert tokenized([pair], "words") == [("a 3.5 cm mass t 2 bright", "no mass")]


@needs_java
def test_the_treebank_keeps_every_line_even_an_empty_one():
    pairs = [Pair("", "The heart's size: normal."), Pair("Two\nlines (here).", "No mass!")]
    assert tokenized(pairs, "ptb") == [
        ("", "the heart 's size normal"),
        ("two lines -lrb- here -rrb-", "no mass"),
    ]


@needs_java
def test_the_treebank_is_that_of_the_evaluation_of_captions():
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    text = "The heart's size: normal (CTR 0.5) -- no effusions; don't follow up. ``Clear''!"
    (found,) = PTBTokenizer().tokenize({0: [{"caption": text}]})[0]
    assert tokenized([Pair(text, "")], "ptb") == [(found, "")]


def test_java_is_asked_for_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="METEOR needs Java: install a runtime"):
        java("METEOR")


def test_a_table_of_frequencies_is_read_and_named(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"documents": 8, "frequencies": {"the heart": 2}}))
    table = read_frequencies(str(path))
    assert table == Frequencies(documents=8, frequencies={"the heart": 2.0})
    assert table.by_words() == {("the", "heart"): 2.0}
    assert named(table).startswith("document frequencies of a table (")
    assert named(read_frequencies(None)) == "document frequencies of the references"


@pytest.mark.parametrize("text", ["{", '{"documents": 0, "frequencies": {}}', '{"documents": 1}'])
def test_a_broken_table_is_named(tmp_path, text):
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"table\.json"):
        read_frequencies(str(path))
    with pytest.raises(SettingsError, match=r"none\.json: cannot be read"):
        read_frequencies(str(tmp_path / "none.json"))
