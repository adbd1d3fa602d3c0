"""Benchmarks from files laid out as their publishers do it."""

import csv
import json

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from medevalkit.prepare import SET_ASIDE, prepare


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")


def records(name, folder, out, **more):
    return list(Manifest(prepare(name, out, folder=folder, **more)))


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "raw"


def rad_row(number, picture="a.jpg", answer="yes"):
    return {
        "qid": number,
        "image_name": picture,
        "image_organ": "CHEST",
        "answer": answer,
        "question_type": "PRES",
        "question": f"Question {number}?",
        "phrase_type": "freeform",
    }


def test_vqa_rad_with_a_broken_and_a_missing_picture(raw, tmp_path, png):
    rows = [rad_row(1), rad_row(2, answer="left lung"), rad_row(3, "no.jpg"), rad_row(4, "bad.jpg")]
    write(raw / "testset.json", json.dumps([*rows, rad_row(1)]))
    write(raw / "images/a.jpg", png())
    write(raw / "images/bad.jpg", b"no picture")
    found = records("vqa-rad", raw, tmp_path / "out")
    assert [(r.answer, r.answer_kind) for r in found] == [("yes", "closed"), ("left lung", "open")]
    assert found[0].modality == "xray" and found[0].tags["body_part"] == "CHEST"
    aside = [json.loads(line) for line in (tmp_path / "out" / SET_ASIDE).read_text().splitlines()]
    assert [entry["row"] for entry in aside] == [3, 4, 5]
    assert "there is no picture" in aside[0]["reason"] and "broken" in aside[1]["reason"]
    assert aside[2]["reason"] == "is there twice"


def test_prepared_twice_is_prepared_once(raw, tmp_path, png, capsys):
    write(raw / "testset.json", json.dumps([rad_row(1)]))
    write(raw / "images/a.jpg", png())
    prepare("vqa-rad", tmp_path / "out", folder=raw)
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    prepare("vqa-rad", tmp_path / "out", folder=raw)
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    assert "prepared already" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="other"):
        prepare("vqa-rad", tmp_path / "out", folder=raw, blind=True)


def test_a_part_of_a_benchmark_is_called_a_part(raw, tmp_path, png, capsys):
    write(raw / "testset.json", json.dumps([rad_row(1)]))
    write(raw / "images/a.jpg", png())
    prepare("vqa-rad", tmp_path / "out", folder=raw)
    assert "1 items where the whole benchmark has 451" in capsys.readouterr().err


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError, match="holds none of: data/test-"):
        prepare("vqa-rad", tmp_path / "out", folder=tmp_path / "raw")


def test_what_is_not_on_the_hub_says_where_it_is(tmp_path):
    with pytest.raises(SettingsError, match=r"get it at https://physionet\.org"):
        prepare("mimic-cxr", tmp_path / "out")


def test_slake_languages(raw, tmp_path, png):
    row = {
        "qid": 1,
        "img_name": "xmlab1/source.jpg",
        "question": "What is it?",
        "answer": "Lung",
        "answer_type": "OPEN",
        "q_lang": "en",
        "modality": "CT",
        "location": "Lung",
        "content_type": "Organ",
        "base_type": "vqa",
    }
    chinese = {**row, "qid": 2, "q_lang": "zh", "answer": "是", "answer_type": "CLOSED"}
    write(raw / "test.json", json.dumps([row, chinese]))
    write(raw / "imgs/xmlab1/source.jpg", png())
    assert len(records("slake", raw, tmp_path / "both")) == 2
    (english,) = records("slake-en", raw, tmp_path / "en")
    (other,) = records("slake-zh", raw, tmp_path / "zh")
    assert (english.language, english.answer_kind) == ("en", "open")
    assert (other.language, other.answer_kind) == ("zh", "closed")


def test_pmc_vqa_takes_labels_off(raw, tmp_path, png):
    columns = ["index", "Figure_path", "Caption", "Question", "Choice A", "Choice B"]
    columns += ["Choice C", "Choice D", "Answer", "split"]
    (raw / "images_2").mkdir(parents=True)
    with (raw / "test_2.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerow([0, "f.jpg", "", "Q?", " A: one ", " B: two ", " C: three ", " D: four", "B"])
        rows.writerow([1, "f.jpg", "", "Q?", "one", "two", "three", "four", "C ", "test"])
    write(raw / "images_2/f.jpg", png())
    found = records("pmc-vqa", raw, tmp_path / "out")
    assert [[o.text for o in r.options] for r in found] == [["one", "two", "three", "four"]] * 2
    assert [r.answer for r in found] == ["B", "C"]


def test_omni_med_vqa_finds_the_letter_of_the_gold_text(raw, tmp_path, png):
    row = {
        "dataset": "D",
        "question_id": "D_1",
        "question_type": "Modality Recognition",
        "question": "What is it?",
        "gt_answer": "CT",
        "image_path": "Images/D/1.png",
        "option_A": "MRI",
        "option_B": "CT",
        "modality_type": "CT(Computed Tomography)",
    }
    rows = [row, {**row, "question_id": "D_2", "gt_answer": "PET"}]
    write(raw / "OmniMedVQA/QA_information/Open-access/D.json", json.dumps(rows))
    write(raw / "OmniMedVQA/Images/D/1.png", png())
    (found,) = records("omni-med-vqa", raw, tmp_path / "out")
    assert found.answer == "B" and found.modality == "ct" and len(found.options) == 2
    assert "no option is the answer 'PET'" in (tmp_path / "out" / SET_ASIDE).read_text()


@pytest.fixture
def mmmu(raw, png):
    """Lays out two subjects of MMMU with parquet files, as the hub has them."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from medevalkit.benchmarks.mmmu_med_val import SUBJECTS

    def lay(split, answer):
        for subject in SUBJECTS:
            rows = [
                {
                    "id": f"{split}_{subject}_1",
                    "question": "<image 2> or <image 1>: which is larger?",
                    "options": "['left', \"right's\", '<image 3>']",
                    "answer": answer,
                    "question_type": "multiple-choice",
                    **{f"image_{n}": {"bytes": png(n), "path": None} for n in (1, 2, 3)},
                    "img_type": "['Photographs']",
                    "topic_difficulty": "Easy",
                    "subfield": "x",
                }
            ]
            path = raw / subject / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            parquet.write_table(pa.Table.from_pylist(rows), path)

    return lay


def test_mmmu_shows_all_pictures_where_they_are_named(mmmu, raw, tmp_path, png):
    import hashlib

    mmmu("validation", "C")
    found = records("mmmu-med-val", raw, tmp_path / "out")
    assert len(found) == 5
    shown = [image.sha256 for image in found[0].images]
    assert shown == [hashlib.sha256(png(n)).hexdigest() for n in (2, 1, 3)]
    assert found[0].question == "<image> or <image>: which is larger?"
    assert [o.text for o in found[0].options] == ["left", "right's", "<image>"]


def test_mmmu_test_has_no_gold(mmmu, raw, tmp_path):
    mmmu("test", "?")
    assert {r.answer for r in records("mmmu-med-test", raw, tmp_path / "out")} == {None}


def test_an_expression_in_the_options_is_not_run(mmmu, raw, tmp_path):
    from medevalkit.benchmarks.mmmu_med_val import _literal

    with pytest.raises(DataError, match="no list of texts"):
        _literal("__import__('os').system('touch /tmp/owned')")


@pytest.mark.parametrize("layout", ["hub", "sample"])
def test_medxpertqa_in_both_layouts(raw, tmp_path, png, layout):
    row = {
        "id": "MM-1",
        "question": "Which one?\nAnswer Choices: (A) Cyst (B) Mass",
        "options": {"A": "Cyst", "B": "Mass"},
        "label": "B",
        "images": ["a.jpeg", "b.jpeg"],
        "medical_task": "Diagnosis",
        "body_system": "Skeletal",
        "question_type": "Reasoning",
    }
    name = "MM/test.jsonl"
    if layout == "sample":
        row["options"] = [{"letter": "A", "content": "Cyst"}, {"letter": "B", "content": "Mass"}]
        row["label"], row["images"] = ["B"], [{"image_path": "a.jpeg"}, {"image_path": "b.jpeg"}]
        name = "medxpertqa_sampled_mm_input.jsonl"
    write(raw / name, json.dumps(row))
    write(raw / "images/a.jpeg", png(1))
    write(raw / "images/b.jpeg", png(2))
    (found,) = records("medxpertqa-mm", raw, tmp_path / "out")
    assert (found.question, found.answer, len(found.images)) == ("Which one?", "B", 2)


def test_pubmedqa_original_and_hub(raw, tmp_path):
    whole = {"7": {"QUESTION": "Does it?", "CONTEXTS": ["One.", "Two."]}, "8": {}}
    write(raw / "ori_pqal.json", json.dumps(whole))
    write(raw / "test_ground_truth.json", json.dumps({"7": "maybe"}))
    (found,) = records("pubmedqa", raw, tmp_path / "a")
    assert found.question == "Context: One.\nTwo.\nDoes it?" and found.answer == "C"
    data = {"Question": "Does it?", "Context": ["One.", "Two."], "Correct Option": "C"}
    write(tmp_path / "hub/test.jsonl", json.dumps({"id": "7", "data": data}))
    (same,) = records("pubmedqa", tmp_path / "hub", tmp_path / "b")
    assert same == found


def test_mmlu_and_medmcqa_count_from_where_their_files_do(raw, tmp_path):
    write(raw / "anatomy_test.csv", '"Which, then?",a,b,c,d,C\n')
    (found,) = records("mmlu-med", raw, tmp_path / "mmlu")
    assert (found.question, found.answer, found.tags["subject"]) == ("Which, then?", "C", "anatomy")
    row = {"id": "1", "question": "Q?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 2}
    row |= {"subject_name": "Physiology", "choice_type": "single"}
    write(tmp_path / "m/dev.json", json.dumps(row))
    (found,) = records("medmcqa", tmp_path / "m", tmp_path / "medmcqa")
    assert found.answer == "B"


def test_chinese_exams(raw, tmp_path):
    question = {
        "exam_type": "x",
        "question": "哪个?",
        "question_type": "单项选择题",
        "option": {"A": "甲", "B": "乙", "E": ""},
    }
    many = {**question, "question_type": "多项选择题"}
    write(raw / "CMB-test-choice-question-merge.json", json.dumps([question, many]))
    with pytest.raises(DataError, match=r"CMB-test-choice-answer\.json"):
        prepare("cmb", tmp_path / "none", folder=raw)
    write(raw / "CMB-test-choice-answer.json", json.dumps([{"id": 1, "answer": "B"}]))
    (found,) = records("cmb", raw, tmp_path / "cmb")
    assert (found.answer, found.language, len(found.options)) == ("B", "zh", 2)
    write(tmp_path / "e/test.csv", 'Question,Options,Answer\n哪些?,"A 甲\nB 乙\nC 丙",AC\n')
    (several,) = records("cmexam", tmp_path / "e", tmp_path / "cmexam")
    assert (several.answer, several.tags["question_type"]) == ("AC", "several")


def test_mimic_reads_sections_out_of_reports(raw, tmp_path, png):
    report = (
        "                                 FINAL REPORT\n EXAMINATION:  CHEST\n\n"
        " INDICATION:  Cough.\n\n FINDINGS: \n \n The lungs are\n clear.\n\n"
        " IMPRESSION: \n \n No acute disease."
    )
    write(
        raw / "mimic-cxr-2.0.0-split.csv",
        "dicom_id,study_id,subject_id,split\nd1,50,10000032,test\nd2,50,10000032,test\n"
        "d3,51,10000032,train\nd4,52,10000033,test\n",
    )
    write(raw / "files/p10/p10000032/s50.txt", report)
    write(raw / "files/p10/p10000033/s52.txt", "FINAL REPORT\n EXAMINATION: CHEST\n")
    for name in ("d1", "d2"):
        write(raw / f"files/p10/p10000032/s50/{name}.jpg", png(len(name)))
    write(raw / "files/p10/p10000033/s52/d4.jpg", png(9))
    (found,) = records("mimic-cxr", raw, tmp_path / "out")
    assert (found.findings, found.impression) == ("The lungs are clear.", "No acute disease.")
    assert found.indication == "Cough." and len(found.images) == 2
    assert "neither findings nor impression" in (tmp_path / "out" / SET_ASIDE).read_text()


def test_chexpert_plus_takes_the_films_of_validation(raw, tmp_path, png):
    rows = [
        "path_to_image,section_findings,section_impression,section_clinical_history,split",
        'valid/patient1/study1/view1_frontal.jpg,"Lungs,\nclear.",No disease.,Cough.,valid',
        "valid/patient1/study1/view2_lateral.jpg,,No disease.,,valid",
        "valid/patient2/study1/view1_frontal.jpg,,,,valid",
        "train/patient9/study1/view1_frontal.jpg,Old.,Older.,,train",
    ]
    write(raw / "df_chexpert_plus_240401.csv", "\n".join(rows) + "\n")
    for row in (1, 2, 3):
        name = rows[row].split(",")[0]
        write(raw / "PNG" / name.replace(".jpg", ".png"), png(row))
    first, second = records("chexpert-plus", raw, tmp_path / "out")
    assert (first.findings, first.impression) == ("Lungs, clear.", "No disease.")
    assert first.indication == "Cough." and len(first.images) == 1
    assert (second.findings, second.impression) == ("", "No disease.")
    assert "neither findings nor impression" in (tmp_path / "out" / SET_ASIDE).read_text()


@pytest.mark.parametrize("layout", ["rexrank", "kit", "r2gen"])
def test_iu_xray_in_three_layouts(raw, tmp_path, png, layout):
    sections = {"findings": "Clear.", "impression": "Normal."}
    for n in (0, 1):
        write(raw / f"images/CXR2_IM-1/{n}.png", png(n))
    pictures = [f"images/CXR2_IM-1/{n}.png" for n in (0, 1)]
    if layout == "rexrank":
        study = {"image_path": pictures, **sections}
        write(raw / "ReXRank_IUXray_test.json", json.dumps({"CXR2_IM-1": study}))
    elif layout == "kit":
        write(raw / "test.json", json.dumps([{"id": "CXR2_IM-1", "image": pictures, **sections}]))
    else:
        study = {"id": "CXR2_IM-1", "image_path": ["CXR2_IM-1/0.png", "CXR2_IM-1/1.png"]}
        write(raw / "annotation.json", json.dumps({"test": [study], "val": []}))
        write(
            raw / "ecgen-radiology/2.xml",
            '<r><AbstractText Label="FINDINGS">Clear.</AbstractText>'
            '<AbstractText Label="IMPRESSION">Normal.</AbstractText></r>',
        )
    (found,) = records("iu-xray", raw, tmp_path / "out")
    assert (found.findings, found.impression, len(found.images)) == ("Clear.", "Normal.", 2)


def test_rad_restruct_keeps_what_is_known(raw, tmp_path, png):
    info = {"answer_type": "single_choice", "options": ["yes", "no"], "path": "lung_signs"}
    degree = {"answer_type": "multi_choice", "options": ["none", "mild", "low"], "path": "lung_d"}
    pairs = [
        ["Any sign?", ["yes"], [], info],
        ["How much?", ["low", "mild"], [["Any sign?", ["yes"]]], degree],
    ]
    write(raw / "test_qa_pairs/5.json", json.dumps(pairs))
    write(raw / "id_to_img_mapping_frontal_reports.json", json.dumps({"5": ["CXR5"]}))
    write(raw / "images/CXR5.png", png())
    first, second = records("radrestruct", raw, tmp_path / "out")
    assert (first.answer_kind, first.answer) == ("closed", "yes")
    assert second.answer == "BC" and second.question.startswith("Known so far:\nAny sign? yes\n")


def test_healthbench_keeps_turns_and_rubric(raw, tmp_path):
    row = {
        "prompt_id": "p",
        "prompt": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "I cough."},
        ],
        "rubrics": [{"criterion": "Asks since when", "points": 4, "tags": []}],
        "example_tags": ["theme:hedging"],
    }
    write(raw / "2025_oss_eval.jsonl", json.dumps(row))
    (found,) = records("healthbench", raw, tmp_path / "out")
    assert [turn.role for turn in found.turns] == ["user", "assistant", "user"]
    assert json.loads(found.tags["rubric"]) == [{"criterion": "Asks since when", "points": 4}]


def test_a_path_that_leaves_the_folder_is_set_aside(raw, tmp_path, png):
    write(raw / "testset.json", json.dumps([rad_row(1, "../../x.png"), rad_row(2)]))
    write(tmp_path / "x.png", png())
    write(raw / "images/a.jpg", png())
    (found,) = records("vqa-rad", raw, tmp_path / "out")
    assert "leaves its folder" in (tmp_path / "out" / SET_ASIDE).read_text()
    assert found.question == "Question 2?"
