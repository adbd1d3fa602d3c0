"""Settings of a generator, from a recipe, the flags of the command line and overrides."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_synth.generator import GENERATORS
from lingshu_synth.settings import GeneratorSettings


@dataclass(frozen=True)
class Flags:
    """What can be said in a word of its own instead of as `--set`."""

    endpoint: str = ""
    model: str = ""
    prompts: str = ""
    budget: float | None = None
    batch: bool = False

    def overrides(self) -> list[str]:
        """Returns the flags as overrides."""
        found = []
        if self.endpoint:
            # A JSON string is a TOML string as well.
            found.append(f"calls.endpoints=[{{url = {json.dumps(self.endpoint)}}}]")
        if self.model:
            found.append(f"model.name={json.dumps(self.model)}")
        if self.prompts:
            found.append(f"prompts={json.dumps(self.prompts)}")
        if self.budget is not None:
            found.append(f"calls.budget={self.budget}")
        if self.batch:
            found.append("calls.batch=true")
        return found


def load(name: str, recipe: str, flags: Flags, overrides: Sequence[str]) -> GeneratorSettings:
    """Returns the settings of a generator.

    Args:
        name: The generator.
        recipe: Name of a shipped recipe or path of a TOML file; empty for the defaults.
        flags: They stand before the recipe.
        overrides: `key=value`; they stand before both.

    Raises:
        SettingsError: The recipe, a flag or an override is wrong.
    """
    source = find_recipe("lingshu_synth", recipe) if recipe else None
    settings = GENERATORS.get(name).settings
    return load_recipe(settings, source, [*flags.overrides(), *overrides])
