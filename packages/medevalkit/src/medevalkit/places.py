"""Where things lie on this machine, for commands that load nothing else."""

import os
from pathlib import Path

DATA_VARIABLE = "MEDEVALKIT_DATA"


def data_folder(given: Path | None = None) -> Path:
    """Returns where prepared benchmarks lie: as given, as the environment says, or in the cache."""
    if given is not None:
        return given
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "medevalkit"
