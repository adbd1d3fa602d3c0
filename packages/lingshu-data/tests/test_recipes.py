"""The shipped recipes: every name is a dataset, the amounts are the paper's, the policies hold."""

from collections import Counter

import pytest

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import find_recipe, load_recipe, shipped_recipes
from lingshu_core.records import Caption, Dialogue, Instruction, Operation, Question, Source, Turn
from lingshu_data.curate import curate, plan
from lingshu_data.decontaminate import decontaminate
from lingshu_data.mixture import mix
from lingshu_data.operators.mixture import Settings
from lingshu_data.settings import CurateSettings, DecontaminateSettings, Running
from lingshu_data.source import SOURCES

ALL = {name.replace("_", "-"): source for name, source in SOURCES.items()}
CURATE = ["captions", "multimodal", "texts"]
AMOUNTS = {"shallow": 927_000, "deep": 4_100_000, "instruction": 7_100_000, "rl": 100_000}
"""Of the paper's Table 5."""
LONG = "A round shadow of two centimetres lies beside the heart, with an even border"


def recipe(name, *overrides):
    model = CurateSettings if name in CURATE else Settings
    return load_recipe(model, find_recipe("lingshu_data", f"lingshu/{name}"), overrides)


def of(dataset, **fields):
    """Returns the fields of a record; its id follows from them."""
    split = fields.pop("split", "train")
    source = Source(dataset=dataset, licence="CC0-1.0", split=split, rank=ALL[dataset].card.rank)
    name = record_id(dataset, repr(sorted(fields.items())), str(split))
    domain = ALL[dataset].domain
    return {"id": name, "source": source, "domain": domain, "modality": "text", **fields}


def caption(dataset, text=LONG, **fields):
    return Caption(**of(dataset, text=text, **{"modality": "ct", **fields}))


def question(dataset, text="Is there a shadow?", **fields):
    return Question(**of(dataset, question=text, answer="yes", answer_kind="closed", **fields))


def instruction(dataset, text="Say what a fever is.", response="A raised temperature.", **fields):
    return Instruction(**of(dataset, instruction=text, response=response, **fields))


def synthetic(record):
    made = Operation(package="lingshu-synth", version="0", operation="vqa")
    return record.replace(provenance=(made,))


def left(out):
    """Returns how many records of each dataset an output holds, and why the others went."""
    gone = Counter(
        (record.source.dataset, record.tags["dropped_reason"])
        for record in Manifest(out / "dropped")
    )
    return Counter(record.source.dataset for record in Manifest(out)), gone


def test_what_is_shipped_is_tested():
    assert shipped_recipes("lingshu_data") == sorted(f"lingshu/{n}" for n in (*CURATE, *AMOUNTS))


@pytest.mark.parametrize("name", [*CURATE, *AMOUNTS])
def test_every_dataset_is_among_the_sources(name):
    settings = recipe(name)
    parts = settings.steps if name in CURATE else [take.model_dump() for take in settings.takes]
    names = [dataset for part in parts for dataset in part.get("datasets", ())]
    assert set(names) <= set(ALL)


@pytest.mark.parametrize("name", AMOUNTS)
def test_amounts_are_those_of_table_5(name):
    settings = recipe(name)
    assert settings.stage == name and settings.amount == AMOUNTS[name]
    parts = [take.amount for take in settings.takes]
    if all(part is not None for part in parts):
        # To the two digits that the table gives.
        assert round(sum(parts), -5) == AMOUNTS[name]
    assert settings.without_splits == ("test",)


def test_table_5_names_all_that_tables_1_and_2_collect():
    mixed = {d for name in AMOUNTS for take in recipe(name).takes for d in take.datasets}
    for name, source in ALL.items():
        if {"captions", "instruction", "text", "rl"} & set(source.card.part):
            assert name in mixed, name


@pytest.mark.parametrize("name", CURATE)
def test_every_step_names_an_operator_with_settings_it_knows(name):
    for raw, planned in zip(recipe(name).steps, plan(recipe(name)), strict=True):
        assert planned.settings.operator == raw["operator"]


def test_captions_are_compared_across_datasets_and_measured(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    same, small, other = (toy.image(png(noise(n, s, s))) for n, s in ((1, 80), (2, 63), (3, 80)))
    for record in (
        caption("pmc-oa", images=(same,)),
        caption("rocov2", images=(same,)),
        caption("roco", images=(small,)),
        caption("medicat", "A shadow.", images=(other,)),
        # Of the general domain, and no caption: not for this recipe.
        caption("pixmo", "A bus.", images=(small,), modality="natural"),
        question("vqa-rad", images=(same,), modality="ct"),
    ):
        toy.write(record)
    toy.close()
    curate([tmp_path / "in"], tmp_path / "out", recipe("captions"), Running())
    kept, gone = left(tmp_path / "out")
    assert kept == {"rocov2": 1, "pixmo": 1, "vqa-rad": 1}
    assert gone == {
        ("pmc-oa", "same bytes"): 1,
        ("roco", "smaller than 64 px"): 1,
        ("medicat", "fewer than 10 tokens"): 1,
    }


def test_instruction_data_is_compared_within_two_datasets_alone(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    same, small = toy.image(png(noise(1))), toy.image(png(noise(2, 40, 90)))
    for dataset in ("pubmedvision", "llava-med", "path-vqa"):
        for text in ("What is it?", "Where is it?"):
            toy.write(question(dataset, text, images=(same,), modality="ct"))
    toy.write(question("slake", images=(small,), modality="ct"))
    toy.close()
    curate([tmp_path / "in"], tmp_path / "out", recipe("multimodal"), Running())
    kept, gone = left(tmp_path / "out")
    assert kept == {"pubmedvision": 1, "llava-med": 1, "path-vqa": 2}
    assert gone == {
        ("pubmedvision", "same bytes"): 1,
        ("llava-med", "same bytes"): 1,
        ("slake", "smaller than 64 px"): 1,
    }


def test_of_alike_texts_the_most_reliable_stays_and_consultations_are_cleaned(tmp_path, build):
    toy = build()
    long = " ".join(f"word{n}" for n in range(60))
    toy.write(instruction("alpacare", long, "Yes."))
    toy.write(instruction("medquad", long, "Yes!"))
    toy.write(instruction("openhermes", long, "Yes."))
    turns = (
        Turn(role="user", text="My mail is someone@example.org, and my knee hurts."),
        Turn(role="assistant", text="Rest it."),
    )
    for dataset in ("healthcaremagic", "huatuogpt2-sft"):
        toy.write(Dialogue(**of(dataset, turns=turns)))
    toy.close()
    curate([tmp_path / "in"], tmp_path / "out", recipe("texts"), Running())
    kept, gone = left(tmp_path / "out")
    assert kept == {"medquad": 1, "openhermes": 1, "healthcaremagic": 1, "huatuogpt2-sft": 1}
    assert gone == {("alpacare", "same text"): 1}
    said = {r.source.dataset: str(r.texts()) for r in Manifest(tmp_path / "out")}
    assert "someone@example.org" not in said["healthcaremagic"]
    assert "someone@example.org" in said["huatuogpt2-sft"]


@pytest.fixture
def everything(tmp_path, build, pictures):
    """Returns a manifest with a record for each take of each stage, and what no stage takes."""
    noise, png = pictures
    toy = build("all")
    image = (toy.image(png(noise(1))),)
    seen = {"images": image, "modality": "ct"}
    natural = {"images": image, "modality": "natural"}
    for record in (
        caption("pmc-oa", **seen), caption("roco", **seen), caption("rocov2", **seen),
        caption("roco", "Held out " + LONG, split="test", **seen),
        synthetic(caption("bccd", **seen)),
        caption("pixmo", **natural),
        question("vqa-rad", **seen), synthetic(question("bccd", **seen)),
        question("kvasir-vqa", **seen),
        instruction("allava", **natural),
        instruction("openhermes"), instruction("medreason"), instruction("medquad"),
        question("medmcqa", **seen),
    ):  # fmt: skip
        toy.write(record)
    toy.close()
    return tmp_path / "all"


@pytest.mark.parametrize(
    ("name", "datasets"),
    [
        ("shallow", {"pmc-oa": 1, "roco": 1}),
        ("deep", {"rocov2": 1, "bccd": 1, "pixmo": 1}),
        (
            "instruction",
            {
                "rocov2": 1, "vqa-rad": 1, "bccd": 1, "allava": 1, "openhermes": 1,
                "medreason": 1, "medquad": 1,
            },
        ),
        ("rl", {"vqa-rad": 1, "bccd": 1, "kvasir-vqa": 1}),
    ],
)  # fmt: skip
def test_each_stage_takes_what_the_table_says(everything, tmp_path, name, datasets):
    mix([everything], tmp_path / "out", recipe(name), Running())
    kept, gone = left(tmp_path / "out")
    assert kept == datasets
    assert gone[("roco", "of the split test")] == 1
    assert kept.total() + gone.total() == len(Manifest(everything))
    few = recipe(name, "amount=1")
    mix([everything], tmp_path / "few", few, Running())
    assert len(Manifest(tmp_path / "few")) == 1


def test_the_cap_of_reinforcement_learning_bounds_every_modality(everything, tmp_path):
    mix([everything], tmp_path / "out", recipe("rl", "caps_by_modality.*=2"), Running())
    _, gone = left(tmp_path / "out")
    assert sum(n for (_, why), n in gone.items() if why == "over the cap of its modality") == 1


def test_the_whole_way_from_captions_to_a_stage(tmp_path, build, pictures):
    noise, png = pictures
    toy, held = build(), build("held-out")
    for number in range(4):
        toy.write(caption("roco", f"{LONG}, {number}", images=(toy.image(png(noise(number))),)))
    held.write(question("vqa-rad", images=(held.image(png(noise(3))),), split="test"))
    toy.close()
    held.close()
    clean, safe, out = tmp_path / "clean", tmp_path / "safe", tmp_path / "out"
    curate([tmp_path / "in"], clean, recipe("captions"), Running())
    decontaminate([clean], [tmp_path / "held-out"], safe, DecontaminateSettings(), Running())
    mix([safe], out, recipe("shallow"), Running())
    assert len(Manifest(clean)) == 4 and len(Manifest(out)) == 3
