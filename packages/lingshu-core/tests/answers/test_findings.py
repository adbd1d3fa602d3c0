"""What a report states about each label."""

import pytest

from lingshu_core.answers import Synonyms, check, read_findings
from lingshu_core.answers.synonyms import SynonymRow
from lingshu_core.golds import FindingsGold

LABELS = ["pneumonia", "pleural effusion", "pneumothorax", "cardiomegaly", "consolidation"]
P, A, U = "present", "absent", "uncertain"


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            "There is a pleural effusion. No pneumothorax.",
            {"pleural effusion": P, "pneumothorax": A},
        ),
        (
            "No consolidation, pleural effusion, or pneumothorax.",
            {"consolidation": A, "pleural effusion": A, "pneumothorax": A},
        ),
        ("No consolidation, effusion or pneumothorax.", {"consolidation": A, "pneumothorax": A}),
        (
            "No pneumothorax, but there is a large pleural effusion.",
            {"pneumothorax": A, "pleural effusion": P},
        ),
        (
            "Small left pleural effusion, no pneumothorax.",
            {"pleural effusion": P, "pneumothorax": A},
        ),
        ("Possible pneumonia in the right lower lobe.", {"pneumonia": U}),
        ("Pneumonia cannot be excluded.", {"pneumonia": U}),
        ("Pneumonia may be present.", {"pneumonia": U}),
        (
            "Pneumothorax is not seen. Cardiomegaly is present.",
            {"pneumothorax": A, "cardiomegaly": P},
        ),
        ("The heart is enlarged.", {"cardiomegaly": P}),
        ("The pleural effusion has resolved.", {"pleural effusion": A}),
        ("No change in the moderate pleural effusion.", {"pleural effusion": P}),
        ("Pleural effusion is present or absent.", {"pleural effusion": U}),
        ("Pleural effusion: yes/no", {"pleural effusion": U}),
        ("If there is pneumonia, treat it.", {"pneumonia": U}),
        ("In case of pneumonia, treat it.", {"pneumonia": U}),
        ("Pneumonia? Cardiomegaly.", {"pneumonia": U, "cardiomegaly": P}),
        ("Pneumonia, or no pneumonia.", {}),
        ("History of pneumonia.", {"pneumonia": U}),
        ("The earlier pneumonia is gone.", {"pneumonia": U}),
        ("Pneumonia is no longer seen.", {"pneumonia": A}),
        ("Rule out pneumonia.", {"pneumonia": U}),
        ("Heart size is normal. The lungs are clear.", {}),
        (
            "No pneumonia. Consolidation consistent with pneumonia.",
            {"pneumonia": P, "consolidation": P},
        ),
        (
            "pneumonia: absent\npleural effusion: present\nconsolidation: uncertain",
            {"pneumonia": A, "pleural effusion": P, "consolidation": U},
        ),
        ("- **Pneumonia**: No\n- **Cardiomegaly**: Yes", {"pneumonia": A, "cardiomegaly": P}),
        (
            '{"pneumonia": "absent", "pleural_effusion": "present"}',
            {"pneumonia": A, "pleural effusion": P},
        ),
        ('{"pneumonia": 0, "cardiomegaly": 1}', {"pneumonia": A, "cardiomegaly": P}),
        ("左侧胸腔积液，未见气胸。", {"pleural effusion": P, "pneumothorax": A}),
        ("<think>Pneumonia.</think>No pneumonia.", {"pneumonia": A}),
        ("", {}),
        ("<think>Pneumonia", {}),
    ],
)
def test_a_report_is_read(report, expected):
    assert read_findings(report, LABELS) == expected


def test_every_label_of_the_gold_must_be_stated():
    gold = FindingsGold(findings={"pneumonia": A, "pleural effusion": P})
    right = check(gold, "No pneumonia. There is a pleural effusion.")
    assert (right.verdict, right.reason) == ("right", "2_of_2")
    assert right.parsed == "pneumonia: absent; pleural effusion: present"
    assert check(gold, "No pneumonia.").reason == "1_of_2"
    assert check(gold, "Pneumonia. Pleural effusion.").verdict == "wrong"
    assert check(gold, "The lungs are clear.").parsed is None


def test_a_users_wording_of_a_label_counts():
    table = Synonyms([SynonymRow(canonical="pneumonia", synonyms=("airspace disease",))])
    assert read_findings("Airspace disease on the left.", ["pneumonia"], table) == {"pneumonia": P}
