"""Names of plug-ins: one file a thing in a folder, and entry points of other distributions."""

import importlib
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Generic, TypeVar

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest

T = TypeVar("T")

SWITCH = "LINGSHU_PLUGINS"
"""Environment variable: `0` leaves the entry points of other distributions alone."""


@dataclass(frozen=True)
class Registry(Generic[T]):
    """Looks names up; listing imports nothing, looking up imports the one module.

    Args:
        folder: Import path of the folder whose modules are the built-in ones.
        group: Entry-point group by which other distributions add names.
        attribute: What each module holds: `SOURCE`, `BENCHMARK`.
        kind: The class that it has to be of.
    """

    folder: str
    group: str
    attribute: str
    kind: type[T]

    def names(self) -> list[str]:
        """Returns the names that can be looked up: the built-in ones, then the plug-ins'."""
        builtin = self._builtin()
        return [*builtin, *(name for name in sorted(self._plugins()) if name not in builtin)]

    def get(self, name: str) -> T:
        """Returns what a name stands for.

        Args:
            name: A built-in name (with `-` or `_`), a plug-in's, or `./file.py:NAME` to try
                something out without packaging it.

        Raises:
            SettingsError: The name is unknown, a plug-in cannot be imported or shadows a built-in
                one, or what it names is of another kind.
        """
        if ".py:" in name:
            return self._checked(_from_file(name), name)
        return self._found(name, self._builtin(), self._plugins())

    def items(self) -> Iterator[tuple[str, T]]:
        """Yields every name with what it stands for, importing all of them."""
        # Reading every distribution's entry points takes longer than importing a small module.
        names, plugins = self._builtin(), self._plugins()
        for name in [*names, *(name for name in sorted(plugins) if name not in names)]:
            yield name, self._found(name, names, plugins)

    def _found(self, name: str, names: list[str], plugins: dict[str, EntryPoint]) -> T:
        builtin = {known.replace("_", "-"): known for known in names}
        key = name.replace("_", "-")
        if key in builtin:
            if builtin[key] in plugins:
                raise SettingsError(
                    f"{_origin(plugins[builtin[key]])} shadows the built-in {name!r}"
                )
            module = importlib.import_module(f"{self.folder}.{builtin[key]}")
            return self._checked(getattr(module, self.attribute), name)
        for known, point in plugins.items():
            if known.replace("_", "-") == key:
                return self._checked(_load(point), name)
        what = self.folder.rpartition(".")[2]
        raise SettingsError(f"{name!r} is not among the {what}{nearest(name, [*names, *plugins])}")

    def _builtin(self) -> list[str]:
        package = importlib.import_module(self.folder)
        names = (module.name for module in pkgutil.iter_modules(package.__path__))
        return sorted(name for name in names if not name.startswith("_"))

    def _plugins(self) -> dict[str, EntryPoint]:
        if os.environ.get(SWITCH) == "0":
            return {}
        return {point.name: point for point in entry_points(group=self.group)}

    def _checked(self, found: object, name: str) -> T:
        if not isinstance(found, self.kind):
            raise SettingsError(f"{name!r} is a {type(found).__name__}, not a {self.kind.__name__}")
        return found


def _origin(point: EntryPoint) -> str:
    return f"the distribution {point.dist.name}" if point.dist else f"the entry point {point.value}"


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise SettingsError(
            f"{point.name!r} of {_origin(point)} cannot be imported: {_why(error)}"
        ) from error


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _from_file(name: str) -> object:
    file, _, attribute = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise SettingsError(f"{file}: there is no such file")
    spec = importlib.util.spec_from_file_location(f"_plugin_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SettingsError(f"{file} cannot be imported: {_why(error)}") from error
    if not hasattr(module, attribute):
        raise SettingsError(f"{file} has no {attribute}")
    found: object = getattr(module, attribute)
    return found
