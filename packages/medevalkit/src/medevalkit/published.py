"""Weights of metrics' models: where they are, what tells them apart, and how they are opened."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest
from medevalkit.extras import needed
from medevalkit.metric import METRICS, Weights
from medevalkit.weights import file_identity, split_revision

T = TypeVar("T")
EXTRA = "report-models"


def by_models() -> dict[str, Weights]:
    """Returns the metrics that need a model, by name."""
    found = ((name.replace("_", "-"), metric.weights) for name, metric in METRICS.items())
    return {name: weights for name, weights in found if weights is not None}


def places(weights: Weights, given: Mapping[str, str]) -> dict[str, str]:
    """Returns the folder or hub name of each part of a metric's model."""
    return {part: given.get(part, name) for part, name in weights.published.items()}


def check_names(given: Mapping[str, str]) -> None:
    """Raises SettingsError where weights are given for a part that no metric has."""
    known = {part for weights in by_models().values() for part in weights.published}
    for part in given:
        if part not in known:
            raise SettingsError(f"no metric has weights called {part!r}{nearest(part, known)}")


def fingerprint(place: str) -> str:
    """Returns what changes when weights do: of files a digest, of a name on the hub the name."""
    path = Path(place)
    if path.is_file():
        return hashlib.sha256(file_identity(path).encode()).hexdigest()
    if not path.is_dir():
        return place
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return digest({str(one.relative_to(path)): file_identity(one) for one in files})


def load(kind: str, part: str, place: str, **more: Any) -> Any:
    """Returns what a class of transformers, `kind`, reads from a folder or the hub.

    Raises:
        SettingsError: There is nothing of the kind, or weights are missing in it; the message says
            how to give weights.
    """
    transformers = needed("transformers", extra=EXTRA)
    transformers.logging.disable_progress_bar()
    # It lists weights that a class has no use for, such as heads; missing ones are looked for here.
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    name, revision = split_revision(place)
    checked = {"output_loading_info": True} if "Model" in kind else {}
    try:
        found = getattr(transformers, kind).from_pretrained(
            name, revision=revision, **more, **checked
        )
    except (OSError, ValueError) as error:
        raise missing(part, place, str(error).strip().partition("\n")[0]) from None
    finally:
        transformers.logging.set_verbosity(before)
    if not checked:
        return found
    model, told = found
    if lacking := sorted(told["missing_keys"]):
        raise missing(part, place, f"they lack {lacking[0]} and {len(lacking) - 1} more")
    return model


def hub_file(part: str, place: str, name: str) -> Path:
    """Returns a file of a folder or of a repository on the hub; `place` may be the file itself."""
    path = Path(place)
    if path.is_file():
        return path
    if path.is_dir():
        if (path / name).is_file():
            return path / name
        raise missing(part, place, f"no {name} there")
    hub = needed("huggingface_hub", extra=EXTRA)
    repository, revision = split_revision(place)
    try:
        return Path(hub.hf_hub_download(repository, name, revision=revision))
    except (OSError, ValueError) as error:
        raise missing(part, place, str(error).strip().partition("\n")[0]) from None


def missing(part: str, place: str, why: str) -> SettingsError:
    """Returns the error of weights that are not there."""
    return SettingsError(
        f"the weights {place!r} cannot be read ({why}); give their folder as "
        f"-s weights.{part}=DIR, or fetch them where there is a network"
    )


def device() -> str:
    """Returns where models of metrics run."""
    return "cuda" if needed("torch", extra=EXTRA).cuda.is_available() else "cpu"


def each(
    texts: Sequence[str], encode: Callable[[list[str]], Sequence[T]], batch_size: int
) -> dict[str, T]:
    """Returns what `encode` makes of every different text, texts of like length together."""
    left = sorted(set(texts), key=lambda text: (len(text), text))
    found: dict[str, T] = {}
    for start in range(0, len(left), batch_size):
        batch = left[start : start + batch_size]
        found |= zip(batch, encode(batch), strict=True)
    return found
