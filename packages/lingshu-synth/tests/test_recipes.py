import pytest

from lingshu_core.recipe import shipped_recipes
from lingshu_synth.generator import GENERATORS
from lingshu_synth.loading import Flags, load

NAMES = shipped_recipes("lingshu_synth")


@pytest.mark.parametrize("recipe", NAMES)
def test_every_shipped_recipe_loads(recipe):
    folder, _, name = recipe.rpartition("/")
    for generator in [name] if folder else GENERATORS.names():
        settings = load(generator, recipe, Flags(), ())
        assert settings.asks and settings.calls.endpoints


def test_every_generator_has_the_recipe_of_the_paper():
    assert {name for name in NAMES if name.startswith("paper/")} == {
        f"paper/{name}" for name in GENERATORS.names()
    }


def test_flags_and_overrides_stand_before_a_recipe():
    flags = Flags(endpoint="http://127.0.0.1:1/v1", model="other")
    settings = load("captions", "paper/captions", flags, ["model.max_tokens=7"])
    assert (settings.model.name, settings.model.max_tokens) == ("other", 7)
    assert [one.url for one in settings.calls.endpoints] == ["http://127.0.0.1:1/v1"]


def test_where_an_endpoint_is_does_not_change_the_identity():
    one = load("cot", "paper/cot", Flags(), ())
    other = load("cot", "paper/cot", Flags(endpoint="http://127.0.0.1:1/v1"), ())
    assert one.identity() == other.identity()
    assert load("cot", "paper/cot", Flags(), ["share=0.5"]).identity() != one.identity()
