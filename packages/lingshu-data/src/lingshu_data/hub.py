"""Datasets on the Hugging Face hub, as `huggingface_hub` keeps them in its cache.

A snapshot there is a folder of links to the blobs beside it, so that reading one means to follow
links out of the folder, but never out of the repository's part of the cache.
"""

from dataclasses import dataclass
from pathlib import Path

from lingshu_core.digest import digest
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Parent


@dataclass(frozen=True)
class Snapshot:
    """One commit of a repository in the cache."""

    repository: str
    """`OWNER/NAME`."""
    commit: str
    folder: Path
    """What its links may not leave."""

    @classmethod
    def at(cls, root: Path) -> "Snapshot | None":
        """Returns the snapshot that a folder is; None where it is any other folder."""
        folder = root.parent.parent
        kind, *names = folder.name.split("--")
        if root.parent.name != "snapshots" or kind != "datasets" or len(names) != 2:
            return None
        return cls("/".join(names), root.name, folder)

    def parent(self) -> Parent:
        """Returns what a manifest says it was made of: the commit, which stands for the bytes."""
        whole = {"repository": self.repository, "commit": self.commit}
        return Parent(path=f"hf://datasets/{self.repository}@{self.commit}", digest=digest(whole))


def download(repository: str, revision: str) -> Path:
    """Brings a dataset into the cache, or finds it there, and returns the snapshot's folder.

    With `HF_HUB_OFFLINE=1` nothing is asked of the network.

    Raises:
        SettingsError: The library is not installed.
        DataError: It cannot be downloaded and is not in the cache.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise SettingsError("--hub needs an extra: pip install 'lingshu-data[hub]'") from None
    try:
        return Path(snapshot_download(repository, repo_type="dataset", revision=revision))
    except (OSError, ValueError) as error:
        # What the hub answers, and what is wrong with the network, are all kinds of OSError.
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{repository} cannot be had from the hub: {first}") from None
