from pathlib import Path

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.golds import PhraseGold
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import read_stats
from lingshu_core.recipe import find_recipe, load_recipe, shipped_recipes
from lingshu_core.records import Option, Question, Source
from lingshu_core.validation import validate
from lingshu_rl.curation import DROPPED, curate
from lingshu_rl.settings import CurationRecipe

ORGANS = ["liver", "spleen", "kidney", "heart", "lung", "brain", "bladder", "stomach"]
MODALITIES = ["ct", "mri", "xray"]


def _questions() -> list[Question]:
    """A set as instruction data come: half of it yes/no, one modality too frequent."""
    made = []
    for number in range(360):
        modality = MODALITIES[0 if number % 6 < 4 else number % 6 - 3]
        base = {
            "id": f"toy/{number:04}",
            "source": Source(dataset="toy", licence="CC0-1.0", split="train"),
            "modality": modality,
            "tags": {"topic": "organ"},
        }
        organ, other = ORGANS[number % 8], ORGANS[(number + 3) % 8]
        kind = number % 4
        if kind < 2:
            answer = "yes" if number % 3 else "no"
            made.append(
                Question(
                    **base, question=f"Is this the {organ}?", answer=answer, answer_kind="closed"
                )
            )
        elif kind == 2:
            options = (Option(letter="A", text=organ), Option(letter="B", text=other))
            made.append(
                Question(
                    **base,
                    question="Which organ is shown?",
                    answer="A",
                    answer_kind="choice",
                    options=options,
                )
            )
        else:
            made.append(
                Question(**base, question="Name the organ.", answer=organ, answer_kind="open")
            )
    return made


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    out = tmp_path / "vqa"
    producer = Producer(package="tests", version="0", command="tests", settings="")
    with ManifestWriter(out, producer=producer) as writer:
        for question in _questions():
            writer.write(question)
    return out


@pytest.fixture
def recipe() -> CurationRecipe:
    return load_recipe(CurationRecipe, find_recipe("lingshu_rl", "curate-nano"))


def test_verifiable_set(manifest: Path, recipe: CurationRecipe, tmp_path: Path):
    curate(recipe, [manifest], tmp_path / "out")
    out = Manifest(tmp_path / "out")
    questions = list(out.of(Question))
    assert not validate(out).faults
    assert all(question.gold is not None for question in questions)
    kinds = [question.gold.kind for question in questions]
    assert kinds.count("yes_no") / len(kinds) == pytest.approx(0.05, abs=0.01)
    opened = [question for question in questions if question.tags.get("opened")]
    assert opened and all(isinstance(question.gold, PhraseGold) for question in opened)
    assert any(question.answer_kind == "choice" for question in questions)
    assert questions[0].provenance[-1].operation == "curate"
    dropped = list(Manifest(tmp_path / "out" / DROPPED))
    assert len(dropped) + len(questions) == 360
    assert all(record.tags["dropped"].startswith("balance: ") for record in dropped)
    stats = read_stats(tmp_path / "out")
    assert stats.counts["in"] == 360 and stats.counts["out"] == len(questions)
    assert (tmp_path / "out" / "index.html").is_file()


def test_again_is_free_and_others_are_refused(
    manifest: Path, recipe: CurationRecipe, tmp_path: Path
):
    out = tmp_path / "out"
    curate(recipe, [manifest], out)
    before = (out / "part-00000.jsonl").stat().st_mtime_ns
    curate(recipe, [manifest], out)
    assert (out / "part-00000.jsonl").stat().st_mtime_ns == before
    with pytest.raises(SettingsError, match="other settings"):
        curate(recipe.model_copy(update={"seed": 1}), [manifest], out)


def test_same_bytes_twice(manifest: Path, recipe: CurationRecipe, tmp_path: Path):
    for name in ("a", "b"):
        curate(recipe, [manifest], tmp_path / name)
    for part in ("part-00000.jsonl", f"{DROPPED}/part-00000.jsonl", "stats.json"):
        assert (tmp_path / "a" / part).read_bytes() == (tmp_path / "b" / part).read_bytes()


def test_question_in_two_manifests_is_kept_once(
    manifest: Path, recipe: CurationRecipe, tmp_path: Path
):
    curate(recipe, [manifest, manifest], tmp_path / "out")
    ids = [record.id for record in Manifest(tmp_path / "out")]
    assert len(ids) == len(set(ids))


def test_nothing_left_says_why(manifest: Path, tmp_path: Path):
    recipe = CurationRecipe(steps=({"use": "sources", "datasets": ["slake"]},))
    with pytest.raises(
        DataError, match=r"no question is left of 360: .*not among the sources \(360\)"
    ):
        curate(recipe, [manifest], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_step_without_a_name_is_refused():
    with pytest.raises(ValueError, match="step 1 lacks `use`"):
        CurationRecipe(steps=({"share": 1},))


@pytest.mark.parametrize(
    "name", [n for n in shipped_recipes("lingshu_rl") if n.startswith("curate")]
)
def test_shipped_recipes_load(name: str):
    from lingshu_rl.step import load_step

    recipe = load_recipe(CurationRecipe, find_recipe("lingshu_rl", name))
    shared = {"checkpoint": "stage-3", "against": ("held-out",)}
    assert [load_step(step, shared) for step in recipe.steps]
