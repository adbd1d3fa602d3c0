"""What stands beside the weights of a checkpoint, in `lingshu.json`.

The folder itself is the Hugging Face layout, which `transformers` and vLLM load as it is. What is
needed only to go on training lies under `state/` and can be deleted.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from lingshu_core.files import DESCRIPTION_NAME as DESCRIPTION_NAME
from lingshu_core.files import write_atomic
from lingshu_core.manifest import Parent, Producer, broken_line, check_format
from lingshu_core.page import PAGE_NAME, SCRIPT_NAME
from lingshu_core.panels import STATS_NAME
from lingshu_core.recipe import SETTINGS_NAME
from lingshu_core.records import RelativePath, Sha256

FORMAT = "lingshu-checkpoint/1"
STATE_NAME = "state"
INDEX_NAME = "model.safetensors.index.json"
LOG_NAME = "log"
ROLLOUTS_NAME = "rollouts"
ACCOUNTS = {STATS_NAME, PAGE_NAME, SCRIPT_NAME, SETTINGS_NAME}
"""What a command tells of its work: not loaded with the weights, and different in equal runs."""
_APART = {STATE_NAME, LOG_NAME, ROLLOUTS_NAME}


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
    files: dict[RelativePath, Sha256] = {}
    """SHA-256 of every file that is loaded with the weights: all but this one, the accounts of the
    command (`stats.json`, page, settings), `state/`, `log/`, `rollouts/` and hidden files."""
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
    check_format(path, text, FORMAT)
    try:
        found = Checkpoint.model_validate_json(text)
    except ValidationError as error:
        raise broken_line(path, None, error) from None
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
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name.as_posix() for name in names if _belongs(name))


def _belongs(name: Path) -> bool:
    apart = {DESCRIPTION_NAME, *_APART, *ACCOUNTS}
    return name.parts[0] not in apart and not any(part.startswith(".") for part in name.parts)


class _Index(BaseModel):
    weight_map: dict[str, RelativePath]


def _shards(folder: Path) -> list[str]:
    index = folder / INDEX_NAME
    if not index.is_file():
        return []
    try:
        weight_map = _Index.model_validate_json(index.read_bytes()).weight_map
    except ValidationError as error:
        raise broken_line(index, None, error) from None
    return sorted(set(weight_map.values()))


def _check_files(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        # Links may lead out of the folder: the cache of the Hugging Face hub is made of them.
        if not (folder / name).is_file():
            raise DataError(f"the checkpoint lacks {name}", path=folder)
