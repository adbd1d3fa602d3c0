"""Which weights a name stands for."""

import hashlib
import re
from pathlib import Path

from lingshu_core.checkpoint import is_checkpoint, read_checkpoint
from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from medevalkit.extras import needed

_COMMIT = re.compile(r"[0-9a-f]{40}")
_WHOLE = 16 << 20
_EDGE = 1 << 20


def split_revision(name: str) -> tuple[str, str | None]:
    """Returns the path or hub name, and the revision of `OWNER/NAME@REVISION`."""
    path, _, revision = name.rpartition("@")
    return (path, revision) if path and not Path(name).exists() else (name, None)


def fingerprint(name: str) -> str:
    """Returns what changes whenever the weights, the tokenizer or the template of a model do.

    Of a checkpoint of Lingshu it is the digest in its description; of another folder a digest of
    its small files, and of sizes and both ends of the large ones; of a name on the hub, the name
    and the commit that it stands for.

    Raises:
        DataError: The folder holds no model, or the hub has none of that name.
    """
    folder = Path(name)
    if not folder.is_dir():
        if name.startswith((".", "/")) or name.count("/") > 1:
            raise DataError("there is no such model folder", path=folder)
        return _pinned(name)
    if not (folder / "config.json").is_file():
        raise DataError("has no config.json: it is no model", path=folder)
    if is_checkpoint(folder):
        return read_checkpoint(folder).digest()
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return digest({path.name: file_identity(path) for path in files})


def _pinned(name: str) -> str:
    """Returns `OWNER/NAME@COMMIT`: what a branch of the hub means may change between two starts."""
    repository, revision = split_revision(name)
    if revision is not None and _COMMIT.fullmatch(revision):
        return name
    hub = needed("huggingface_hub", extra="hub")
    try:
        # From the cache where there is no network.
        found = Path(hub.hf_hub_download(repository, "config.json", revision=revision))
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        raise DataError(
            f"{repository} is neither a folder nor could it be fetched from the hub ({error})"
        ) from None
    # The name of a snapshot is its commit.
    return f"{repository}@{found.parent.name}"


def file_identity(path: Path) -> str:
    """Returns a digest of a small file, and of both ends and the size of a large one."""
    size = path.stat().st_size
    if size <= _WHOLE:
        return file_sha256(path)
    with path.open("rb") as file:
        head = file.read(_EDGE)
        file.seek(size - _EDGE)
        return hashlib.sha256(head + file.read()).hexdigest() + f" {size}"
