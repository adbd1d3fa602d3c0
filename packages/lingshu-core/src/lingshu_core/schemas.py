"""JSON Schemas of what passes between the packages, for readers in other languages."""

from typing import Any

from pydantic import BaseModel

from lingshu_core.checkpoint import Checkpoint
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Header
from lingshu_core.recipe import nearest
from lingshu_core.records import TYPES, json_schema

_FOLDERS: dict[str, type[BaseModel]] = {"manifest": Header, "checkpoint": Checkpoint}


def schema_names() -> list[str]:
    """Returns the names of all schemas: `record` is any record, told apart by `type`."""
    return ["record", *TYPES, *_FOLDERS]


def schema(name: str) -> dict[str, Any]:
    """Returns the JSON Schema of a record type, of any record, or of a folder's description.

    Raises:
        SettingsError: There is no such schema.
    """
    if name in _FOLDERS:
        return _FOLDERS[name].model_json_schema()
    if name not in schema_names():
        raise SettingsError(f"there is no schema {name!r}{nearest(name, schema_names())}")
    return json_schema(None if name == "record" else name)
