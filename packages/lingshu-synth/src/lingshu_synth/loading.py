"""Settings of a generator, from a recipe, overrides and the flags of the command line."""

from collections.abc import Sequence

from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_synth.generator import GENERATORS
from lingshu_synth.settings import GeneratorSettings


def load(name: str, recipe: str, overrides: Sequence[str]) -> GeneratorSettings:
    """Returns the settings of a generator.

    Args:
        name: The generator.
        recipe: Name of a shipped recipe or path of a TOML file; empty for the defaults.
        overrides: `key=value`.

    Raises:
        SettingsError: The recipe or an override is wrong.
    """
    source = find_recipe("lingshu_synth", recipe) if recipe else None
    return load_recipe(GENERATORS.get(name).settings, source, overrides)
