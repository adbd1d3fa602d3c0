"""Captions are counted in the model's tokens, and the shortcut changes no decision."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from lingshu_core.errors import SettingsError
from lingshu_core.records import Caption, Source
from lingshu_data.ledger import Drop
from lingshu_data.looks import Looks
from lingshu_data.operator import Item
from lingshu_data.operators.caption_length import OPERATOR, CaptionLength, Settings


def caption(text: str) -> Item:
    source = Source(dataset="toy", licence="CC0-1.0")
    record = Caption(id="toy/1", source=source, modality="text", text=text)
    return Item(record, Looks(None))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A byte-level BPE in the manner of Qwen's, learned from a few sentences."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    texts = ["the chest radiograph shows a nodule in the upper left lobe of the lung"] * 9
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return path


@pytest.mark.parametrize(
    ("words", "reason"),
    [(9, "fewer than 10 tokens"), (10, None), (1024, None), (1025, "more than 1024 tokens")],
)
def test_bounds_are_inclusive(words, reason):
    verdict = CaptionLength(Settings()).judge(caption("word " * words))
    assert (verdict.reason if isinstance(verdict, Drop) else None) == reason


@pytest.fixture(scope="module")
def both(tokenizer):
    step = CaptionLength(Settings(tokenizer=str(tokenizer), least=4, most=60))
    return step, Tokenizer.from_file(str(tokenizer))


@given(text=st.text(min_size=1, max_size=80).filter(str.strip))
@settings(max_examples=300, deadline=None)
def test_the_shortcut_decides_as_the_tokenizer_does(both, text):
    step, oracle = both
    tokens = len(oracle.encode(text, add_special_tokens=False).ids)
    kept = not isinstance(step.judge(caption(text)), Drop)
    assert kept == (4 <= tokens <= 60)


def test_a_folder_with_a_tokenizer_is_taken_and_its_hash_is_told(tokenizer):
    step = CaptionLength(Settings(tokenizer=str(tokenizer.parent)))
    assert step.evidence()["tokenizer"].startswith("sha256 ")
    assert step.count("the chest radiograph") < step.count("xqzj kkwv pprt")


def test_a_missing_tokenizer_is_named():
    with pytest.raises(SettingsError, match="nowhere: there is no such tokenizer"):
        OPERATOR.build(Settings(tokenizer="nowhere"))
