"""Normalised phrases and the tables of synonyms."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lingshu_core.answers import Synonyms, normalise
from lingshu_core.answers.synonyms import own_synonyms
from lingshu_core.errors import DataError

SAME = [
    ("CT", "CAT scan", "computed tomography", "Computerised tomography", "计算机断层扫描"),
    ("MRI", "magnetic resonance imaging", "MR", "核磁共振"),
    ("x-ray", "X ray", "xray", "plain film", "X光"),
    ("MI", "myocardial infarction", "heart attack"),
    ("haemorrhage", "hemorrhage", "bleeding"),
    ("oedema", "edema"),
    ("tumour", "tumors", "neoplasm"),
    ("oesophagus", "esophagus"),
    ("left-sided", "left", "the left side", "左侧"),
    ("metastases", "metastasis"),
    ("diverticula", "diverticulum"),
    ("vertebrae", "vertebra"),
    ("kidneys", "renal", "kidney", "肾脏"),
    ("grade III", "grade 3"),
    ("type two diabetes", "type II diabetes", "T2DM"),
    ("Crohn's disease", "Crohn disease"),
    ("β-blocker", "beta blocker"),
    ("Guillain-Barré syndrome", "GBS"),
    ("non-contrast", "without contrast", "unenhanced"),
    ("T2-weighted", "T2", "T2WI"),
    ("coronal", "coronal plane", "冠状面"),
    ("１０", "10", "ten"),
    ("colour", "color"),
    ("leukaemia", "leukemia"),
    ("anaemia", "anemia"),
    ("paediatric", "pediatric"),
    ("fibre", "fiber"),
    ("first", "1st"),
    ("L4-5", "L4/L5"),
    ("ER+", "ER positive"),
]
DIFFERENT = [
    ("left", "right"),
    ("hyper", "hypo"),
    ("T1", "T2"),
    ("us", "US"),
    ("all", "ALL"),
    ("hepatitis A", "hepatitis"),
    ("vitamin A", "vitamin"),
    ("no mass", "mass"),
    ("5", "50"),
    ("stage 3", "stage 4"),
    ("ileum", "ilium"),
    ("ER+", "ER-"),
    ("肺", "肝"),
    ("stroke", "strike"),
]


@pytest.mark.parametrize("wordings", SAME, ids=lambda wordings: wordings[0])
def test_wordings_of_one_thing_are_the_same(wordings):
    assert len({normalise(wording) for wording in wordings}) == 1


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_things_stay_different(one, other):
    assert normalise(one) != normalise(other)


@given(st.text(max_size=60))
@example("A a the A b")
@example("GRADE IIIa of III")
@example("twenty one hundred and six ½ İ ﷺ")
def test_normalising_again_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


@given(st.lists(st.sampled_from(sorted({w for row in SAME for w in row})), max_size=5))
def test_normalising_words_of_the_table_again_changes_nothing(wordings):
    once = normalise(" ".join(wordings))
    assert normalise(once) == once


def test_every_wording_of_the_own_table_leads_to_its_canonical_one():
    table = own_synonyms()
    for wording, canonical in table.wordings().items():
        assert table.wordings()[canonical] == canonical, wording


def test_a_user_extends_the_table(tmp_path):
    path = tmp_path / "mine.jsonl"
    rows = [
        {"canonical": "hemangioblastoma", "synonyms": ["Lindau tumour"]},
        {"canonical": "myasthenia gravis", "synonyms": ["MG"]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    table = Synonyms.load(path)
    assert normalise("Lindau tumors", table) == "hemangioblastoma"
    assert normalise("MG", table) == normalise("myasthenia gravis", table)
    assert normalise("CT", table) == normalise("computed tomography", table)
    assert normalise("MG") == "mammography"


def test_a_users_row_may_lead_to_ours(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"canonical": "heart attack", "synonyms": ["coronary"]}\n', encoding="utf-8")
    table = Synonyms.load(path)
    assert normalise("a coronary", table) == normalise("MI", table)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", None),
        ("[]", None),
        ('{"synonyms": ["x"]}', "canonical"),
        ('{"canonical": ""}', "canonical"),
        ('{"canonical": "x", "extra": 1}', "extra"),
        ('{"canonical": "x", "synonyms": "y"}', "synonyms"),
    ],
)
def test_a_broken_row_is_named(tmp_path, line, field):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"canonical": "x"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Synonyms.load(path)
    assert (caught.value.path, caught.value.line, caught.value.field) == (path, 2, field)


def test_a_missing_table_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        Synonyms.load(tmp_path / "none.jsonl")
