"""The checkpoint that a stage goes on from: a folder, or a model of the hub."""

from pathlib import Path

from lingshu_core.checkpoint import checkpoint_parent, is_checkpoint
from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Parent

_LOADED = (".safetensors", ".json", ".txt", ".jinja")


def local_folder(name: str) -> Path:
    """Returns the folder of a checkpoint, fetching it where it is a model of the hub.

    Raises:
        SettingsError: There is neither such a folder nor such a model.
        DataError: The folder holds no checkpoint.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise DataError("has no config.json: no finished checkpoint", path=folder)
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SettingsError(
            f"{name}: there is no such folder, and the hub gives no such model ({first})"
        ) from None


def parent_of(folder: Path) -> Parent:
    """Returns a checkpoint as a parent: by its own description, or by hashing what is loaded."""
    if is_checkpoint(folder):
        return checkpoint_parent(folder)
    names = sorted(path.name for path in folder.iterdir() if path.suffix in _LOADED)
    return Parent(
        path=str(folder), digest=digest({name: file_sha256(folder / name) for name in names})
    )
