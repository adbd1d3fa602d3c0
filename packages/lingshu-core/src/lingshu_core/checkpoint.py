"""What stands beside the weights of a checkpoint, in `lingshu.json`.

The folder itself is the Hugging Face layout, which `transformers` and vLLM load as it is. What is
needed only to go on training lies under `state/` and can be deleted.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from lingshu_core.files import write_atomic
from lingshu_core.manifest import Parent, Producer, broken_line

FORMAT = "lingshu-checkpoint/1"
DESCRIPTION_NAME = "lingshu.json"
STATE_NAME = "state"
INDEX_NAME = "model.safetensors.index.json"


class Checkpoint(BaseModel):
    """What `lingshu.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    format: str = FORMAT
    stage: str
    """`base`, `shallow`, `deep`, `instruction`, `rl`, or a name of the user's."""
    recipe: str
    """Name of the recipe; its resolved settings stand in `producer.settings` as a digest."""
    producer: Producer
    parents: tuple[Parent, ...] = ()
    """The checkpoint it went on from and the manifests it learned from."""
    steps: int = Field(ge=0)
    """Optimizer steps of this stage."""
    samples: int = Field(ge=0)
    """Records seen in this stage, repetitions counted."""
    metrics: dict[str, float] = {}
    """Final figures: loss, held-out loss, reward."""
    versions: dict[str, str] = {}
    """Of torch, transformers and what else decides the numbers."""
    files: dict[str, str] = {}
    """SHA-256 of every file of the checkpoint but this one and `state/`."""
    created: str = ""

    def digest(self) -> str:
        """Returns the identity of the weights and of what is loaded with them."""
        return digest(self.files)


def describe(folder: Path, description: Checkpoint) -> Checkpoint:
    """Writes `lingshu.json` as the last file of a checkpoint and returns what it holds.

    Args:
        folder: The finished checkpoint.
        description: Everything but `files` and `created`, which are filled in here.
    """
    whole = description.model_copy(
        update={
            "files": {name: file_sha256(folder / name) for name in _names(folder)},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
    write_atomic(folder / DESCRIPTION_NAME, whole.model_dump_json(indent=2) + "\n")
    return whole


def read_checkpoint(folder: Path, *, verify: bool = False) -> Checkpoint:
    """Reads a checkpoint's description and makes sure that its files are there.

    Args:
        folder: The checkpoint.
        verify: Whether the hash of every file is compared.

    Raises:
        DataError: No description, a newer format, a missing or changed file.
    """
    path = folder / DESCRIPTION_NAME
    try:
        text = path.read_bytes()
    except OSError:
        raise DataError(
            f"has no {DESCRIPTION_NAME}: not a finished checkpoint", path=folder
        ) from None
    try:
        found = Checkpoint.model_validate_json(text)
    except ValidationError as error:
        raise broken_line(path, 1, error) from None
    if found.format != FORMAT:
        raise DataError(
            f"{found.format!r} is not {FORMAT}, which this lingshu-core reads",
            path=path,
            field="format",
        )
    _check_files(folder, [*found.files, *_shards(folder)])
    if verify:
        for name, sha256 in found.files.items():
            if file_sha256(folder / name) != sha256:
                raise DataError("was changed: its hash is not the one recorded", path=folder / name)
    return found


def checkpoint_parent(folder: Path) -> Parent:
    """Returns a checkpoint as the parent of something made from it."""
    return Parent(path=str(folder), digest=read_checkpoint(folder).digest())


def is_checkpoint(folder: Path) -> bool:
    """Says whether a folder is a finished checkpoint of ours."""
    return (folder / DESCRIPTION_NAME).is_file()


def _names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != DESCRIPTION_NAME
        and path.relative_to(folder).parts[0] != STATE_NAME
    )


def _shards(folder: Path) -> list[str]:
    index = folder / INDEX_NAME
    if not index.is_file():
        return []
    weight_map: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    return sorted(set(weight_map.values()))


def _check_files(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise DataError(f"the checkpoint lacks {name}", path=folder)
