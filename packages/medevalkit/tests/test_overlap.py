import pytest

from medevalkit.overlap import overlap


@pytest.mark.parametrize(
    ("said", "gold", "em", "f1"),
    [
        ("Left lung.", "left lung", 1, 1),
        ("upper left lung", "left lung", 0, 0.8),
        ("left left lung", "left lung lung", 0, 2 / 3),
        ("right", "left lung", 0, 0),
        ("", "left lung", 0, 0),
        ("", "", 0, 0),
        ("左肺", "左肺", 1, 1),
        ("左下肺", "左肺", 0, 0.8),
    ],
)
def test_words_in_common(said, gold, em, f1):
    assert overlap(said, gold) == {"em": em, "token-f1": pytest.approx(f1)}
