"""Signatures and candidates are those of datasketch."""

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu_data.minhash import (
    Signer,
    band_keys,
    bands_for,
    candidates,
    components,
    shingle_hash,
)
from lingshu_data.texts import words_of

WORDS = [f"w{number}" for number in range(60)]


def oracle(text, permutations=128, size=5):
    """Signs a text with datasketch, one run of words after the other."""
    words = words_of(text)
    signer = MinHash(permutations, seed=1, hashfunc=shingle_hash, scheme="affine32")
    for start in range(max(len(words) - size + 1, 1) if words else 0):
        signer.update(words[start : start + size])
    return signer


def texts_with_copies(count=60, seed=0):
    """Returns texts of forty words, every second one its neighbour with some words changed."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        words = list(random.choice(WORDS, 40)) if number % 2 == 0 else found[-1].split()
        if number % 2:
            for place in random.integers(0, 40, number % 5):
                words[place] = "changed"
        found.append(" ".join(words))
    return found


@given(
    texts=st.lists(
        st.text(max_size=200) | st.lists(st.sampled_from(WORDS)).map(" ".join), max_size=9
    ),
    size=st.integers(1, 6),
)
@settings(max_examples=30, deadline=None)
def test_signatures_are_datasketch_s_bit_for_bit(texts, size):
    mine = Signer(32, size).sign(texts)
    for text, row in zip(texts, mine, strict=True):
        assert np.array_equal(row, oracle(text, 32, size).hashvalues), text


def test_candidates_are_those_of_datasketch_s_index():
    texts = texts_with_copies()
    bands, rows = 12, 8
    index = MinHashLSH(num_perm=128, params=(bands, rows))
    signers = [oracle(text) for text in texts]
    for number, signer in enumerate(signers):
        index.insert(number, signer)
    theirs = {
        (min(a, b), max(a, b)) for a, s in enumerate(signers) for b in index.query(s) if a != b
    }
    keys = band_keys(Signer().sign(texts), bands, rows)
    mine = {tuple(pair) for pair in candidates(keys.T).tolist()}
    assert mine == theirs and len(mine) > 10


@given(st.lists(st.integers(0, 5), max_size=90), st.lists(st.integers(0, 70), max_size=90))
@settings(max_examples=40, deadline=None)
def test_texts_with_a_key_in_common_end_in_one_group_however_many_they_are(small, large):
    count = min(len(small), len(large))
    bands = [np.array(keys[:count], np.uint64) << np.uint64(40) for keys in (small, large)]
    groups = components(count, candidates(bands))
    for keys in bands:
        for key in np.unique(keys):
            assert len(np.unique(groups[keys == key])) == 1


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_the_bands_meet_pairs_at_the_threshold_as_often_as_asked(threshold):
    bands, rows = bands_for(128, threshold, 0.999)
    assert bands * rows <= 128
    assert 1 - (1 - threshold**rows) ** bands >= 0.999
    longer = 128 // (rows + 1)
    assert 1 - (1 - threshold ** (rows + 1)) ** longer < 0.999
