"""What an extra of the package brings, asked for by name where it is missing."""

from importlib import import_module
from typing import Any

from lingshu_core.errors import SettingsError


def needed(module: str, *, extra: str) -> Any:
    """Returns an imported module; SettingsError that names the extra where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(
            f"needs {module} ({error}): pip install 'lingshu-medevalkit[{extra}]'"
        ) from None
