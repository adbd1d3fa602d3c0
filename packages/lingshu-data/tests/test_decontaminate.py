"""What overlaps with an evaluation set is found, named, and nothing else goes."""

import pytest

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest
from lingshu_core.records import Question, Source
from lingshu_data.decontaminate import decontaminate
from lingshu_data.settings import DecontaminateSettings, Running


def question(builder, text, dataset="train-set", options=(), **fields):
    return builder.write(
        Question(
            id=record_id(dataset, text, str(fields)),
            source=Source(dataset=dataset, licence="CC0-1.0"),
            modality="xray" if fields.get("images") else "text",
            question=text,
            answer=fields.pop("answer", "no"),
            answer_kind="open",
            **fields,
        )
    )


def run(folder, out="out", workers=1, **settings):
    decontaminate(
        [folder / "train"],
        [folder / "test"],
        folder / out,
        DecontaminateSettings(**settings),
        Running(workers=workers),
    )
    dropped = Manifest(folder / out / "dropped")
    return {r.id: (r.tags["dropped_reason"], r.tags["dropped_for"]) for r in dropped}


LONG = (
    "A man of sixty comes with a sudden pain in his left flank which moves down to the groin and "
    "makes him restless for hours"
)


def test_pictures_are_found_by_bytes_and_by_looks(tmp_path, build, pictures):
    noise, png = pictures
    test = build("test")
    item = test.imaging(png(noise(1)), dataset="bench")
    test.imaging(png(noise(9)), dataset="bench")
    test.close()
    train = build("train")
    same = train.imaging(png(noise(1)))
    alike = train.imaging(png(noise(1), compress_level=1))
    train.imaging(png(noise(2)))
    train.close()
    assert run(tmp_path) == {
        same.id: ("same picture file", item.id),
        alike.id: ("same picture", item.id),
    }


def test_even_pictures_overlap_with_nothing(tmp_path, build, pictures):
    noise, png = pictures
    for name, level in (("test", 0), ("train", 1)):
        builder = build(name)
        builder.imaging(png(noise(1).point(lambda _, level=level: level)))
        builder.close()
    assert run(tmp_path) == {}


def test_texts_are_found_whole_and_by_runs_of_words(tmp_path, build):
    test = build("test")
    short = question(test, "Which nerve moves the tongue?", dataset="bench")
    long = question(test, LONG, dataset="bench")
    test.close()
    train = build("train")
    same = question(train, "Which nerve moves the tongue")
    inside = question(train, f"Please think it through. {LONG}, says he. What is it?")
    question(train, "Which nerve moves the eye?")
    question(train, "yes or no?")
    train.close()
    assert run(tmp_path) == {
        same.id: ("same text", short.id),
        inside.id: ("13 words in a row", long.id),
    }


def test_a_text_with_a_word_changed_is_found_by_its_signature(tmp_path, build):
    words = LONG.split()
    test, train = build("test"), build("train")
    item = question(test, LONG, dataset="bench")
    copy = question(train, " ".join([*words[:11], "shoots", *words[12:24]]))
    question(train, " ".join([*words[:5], "went", *words[6:11], "shoots", *words[12:17], "all"]))
    test.close(), train.close()
    found = run(tmp_path)
    assert found == {copy.id: ("almost the same text", item.id)}
    (dropped,) = Manifest(tmp_path / "out" / "dropped")
    assert 0.8 <= float(dropped.tags["dropped_value"]) < 1


def test_a_form_of_words_that_many_items_share_proves_nothing(tmp_path, build):
    form = "Read the following description of a case and then choose the one best answer of all"
    test = build("test")
    for number in range(5):
        question(test, f"{form} {number}", dataset="bench")
    test.close()
    train = build("train")
    question(train, f"{form} for a question of its own")
    train.close()
    assert run(tmp_path) == {}


def test_the_same_question_about_another_picture_is_no_overlap(tmp_path, build, pictures):
    noise, png = pictures
    records = {}
    for name, seed in (("test", 1), ("train", 2)):
        builder = build(name)
        image = builder.image(png(noise(seed)))
        records[name] = question(builder, "Is there a nodule in the lung?", images=(image,))
        builder.close()
    assert run(tmp_path) == {}
    assert run(tmp_path, out="all", texts="all") == {
        records["train"].id: ("same text", records["test"].id)
    }


def test_flagging_keeps_the_record_and_says_with_what_it_overlaps(tmp_path, build, pictures):
    noise, png = pictures
    for name in ("test", "train"):
        builder = build(name)
        item = builder.imaging(png(noise(1)), dataset=name)
        builder.close()
    assert run(tmp_path, action="flag") == {}
    (record,) = Manifest(tmp_path / "out")
    assert record.id == item.id and record.tags["overlaps_with"].startswith("test/")
    assert record.provenance[-1].operation == "curate: decontamination"


@pytest.mark.slow
def test_workers_change_nothing(nano, tmp_path, records_of):
    (tmp_path / "train").symlink_to(nano)
    (tmp_path / "test").symlink_to(nano)
    assert run(tmp_path, out="one").keys() == run(tmp_path, out="two", workers=2).keys()
    one, two = (Manifest(tmp_path / name / "dropped") for name in ("one", "two"))
    assert one.digest() == two.digest()
    assert records_of(tmp_path / "one") == []
