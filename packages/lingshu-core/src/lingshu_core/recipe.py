"""Recipes: TOML written by people, checked by pydantic, resolved to JSON beside the output."""

import datetime
import difflib
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError
from lingshu_core.files import write_atomic

SETTINGS_NAME = "settings.json"
"""Where every command writes its resolved settings beside its output."""

R = TypeVar("R", bound=BaseModel)


class Recipe(BaseModel):
    """Base of all settings: unknown keys and infinite numbers are errors, attribute docstrings are
    descriptions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def digest(self) -> str:
        """Returns the digest of the resolved settings."""
        return digest(self)

    def write(self, path: Path) -> None:
        """Writes the resolved settings as JSON, which keeps what TOML cannot say (null)."""
        write_atomic(path, self.model_dump_json(indent=2) + "\n")


def load_recipe(
    model: type[R], source: Path | Traversable | None, overrides: Iterable[str] = ()
) -> R:
    """Reads a recipe and applies overrides.

    Args:
        model: The recipe's class.
        source: A TOML file, or None where everything comes from defaults and overrides.
        overrides: `key=value`, with dots for nested keys and numbers from 0 for the items of a
            list; the value is read as TOML, and as plain text where it is none: `optim.lr=2e-6`,
            `steps.2.least=5`, `out=runs/a`.

    Raises:
        SettingsError: The file cannot be read, a key is unknown, a value does not fit.
    """
    data: dict[str, Any] = {}
    if source is not None:
        try:
            data = tomllib.loads(source.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{source}: the recipe cannot be read ({error})") from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{source}: the recipe is not TOML: {error}") from None
    for override in overrides:
        _apply(data, override)
    return check(model, data, where=str(source) if source is not None else "settings")


def check(model: type[R], data: Any, *, where: str) -> R:
    """Returns settings as a model; SettingsError names every fault and the nearest known key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        known = _keys(model)
        lines = [_fault(item, known) for item in error.errors(include_url=False)]
        raise SettingsError("\n".join(f"{where}: {line}" for line in lines)) from None


def find_recipe(package: str, name: str) -> Path | Traversable:
    """Returns a recipe by its path, or by its name among those that a package ships.

    Raises:
        SettingsError: There is neither; the message names the nearest.
    """
    if name.endswith(".toml") or Path(name).is_file():
        path = Path(name)
        if not path.is_file():
            raise SettingsError(f"{name}: there is no such recipe file")
        return path
    shipped = shipped_recipes(package)
    if name not in shipped:
        raise SettingsError(f"{package} ships no recipe {name!r}{nearest(name, shipped)}")
    return files(package).joinpath("recipes", f"{name}.toml")


def shipped_recipes(package: str) -> list[str]:
    """Returns the names of the recipes in a package's `recipes` folder: `lingshu-7b/deep`."""
    return shipped_names(package, "recipes", ".toml")


def shipped_names(package: str, folder: str, suffix: str) -> list[str]:
    """Returns the names of a package's resources: paths below a folder, without the suffix."""
    return sorted(_walk(files(package).joinpath(folder), "", suffix))


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns the tail of an error message that helps with a misspelt name."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are: {', '.join(names)}" if names else ""


def _walk(folder: Traversable, prefix: str, suffix: str) -> list[str]:
    found = []
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/", suffix)
        elif entry.name.endswith(suffix):
            found.append(prefix + entry.name.removesuffix(suffix))
    return found


def _apply(data: dict[str, Any], override: str) -> None:
    key, sep, text = override.partition("=")
    if not sep or not key.strip():
        raise SettingsError(f"the override {override!r} is not of the form key=value")
    *path, last = key.strip().split(".")
    place: Any = data
    for step in path:
        if isinstance(place, list):
            place = place[_index(place, step, override)]
        else:
            place = place.setdefault(step, {})
        if not isinstance(place, dict | list):
            raise SettingsError(f"the override {override!r} goes below {step!r}, which is a value")
    if isinstance(place, list):
        place[_index(place, last, override)] = _value(text)
    else:
        place[last] = _value(text)


def _index(items: list[Any], step: str, override: str) -> int:
    if not step.isdecimal() or int(step) >= len(items):
        raise SettingsError(
            f"the override {override!r} names item {step!r} of a list of {len(items)}: "
            "they are counted from 0"
        )
    return int(step)


def _value(text: str) -> Any:
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = found.pop("value")
    # A second key would have to come from a line break; no setting is a date.
    return text if found or isinstance(value, datetime.date | datetime.time) else value


def _keys(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        found |= set(part.get("properties", ()))
    return found


def _fault(item: Any, known: set[str]) -> str:
    place = ".".join(str(step) for step in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"the key {place!r} is unknown{nearest(str(item['loc'][-1]), known)}"
    if item["type"] == "missing":
        return f"the key {place!r} is missing"
    message = item["msg"].removeprefix("Value error, ")
    return f"{place}: {message} (given: {item['input']!r})" if place else message
