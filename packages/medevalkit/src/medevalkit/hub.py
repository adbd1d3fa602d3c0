"""Fetching a benchmark from the Hugging Face hub, at the commit that its card pins."""

import zipfile
from pathlib import Path

from lingshu_core.console import say
from lingshu_core.errors import DataError, SettingsError
from medevalkit.benchmark import Benchmark
from medevalkit.extras import needed


def fetch(benchmark: Benchmark) -> Path:
    """Returns the folder of a benchmark's files in the hub's cache, archives unpacked beside it.

    Raises:
        SettingsError: It is not on the hub, the extra is missing, or there is no network.
    """
    card = benchmark.card
    if not benchmark.files:
        raise SettingsError(
            f"{card.title} is not on the hub: get it at {card.source} and give its folder "
            "as --from FOLDER"
        )
    hub = needed("huggingface_hub", extra="hub")
    try:
        found = Path(
            hub.snapshot_download(
                card.source,
                repo_type="dataset",
                revision=card.revision,
                allow_patterns=list(benchmark.files),
            )
        )
    except (OSError, hub.errors.HfHubHTTPError) as error:
        raise SettingsError(
            f"{card.source} could not be fetched ({error}): give its files as --from FOLDER"
        ) from None
    if card.revision is None:
        # The name of a snapshot is its commit.
        say(f"{card.title}: nothing pins a commit; took {found.name}")
    return _unpacked(found)


def _unpacked(folder: Path) -> Path:
    for archive in sorted(folder.glob("*.zip")):
        done = folder / f".{archive.stem}.unpacked"
        if done.exists():
            continue
        with zipfile.ZipFile(archive) as file:
            for entry in file.namelist():
                if entry.startswith("/") or ".." in Path(entry).parts:
                    raise DataError(f"the entry {entry!r} leaves the folder", path=archive)
            file.extractall(folder)
        done.touch()
    return folder
