"""What judges said about the answers of a run, and how far they agree."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations
from pathlib import Path

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.recipe import nearest
from lingshu_core.records import Judgement, Prediction, RecordBase, Verdict
from medevalkit.cache import Cache
from medevalkit.folder import Stored, parsed
from medevalkit.judging import Reading, key, prompt, ruling
from medevalkit.settings import JudgeSettings

CACHE_NAME = "verdicts.sqlite"
JUDGES = "judges"


class Agreement(Stored):
    """How far two judges agree on the answers that both have judged."""

    task: str
    first: str
    second: str
    n: int
    same: float
    """Share of equal verdicts."""
    kappa: float | None
    """Cohen's kappa: what is left of it when chance is taken away; None where both say the same
    about everything."""


@dataclass(frozen=True)
class Judged:
    """What the judges make of one answer."""

    verdict: Verdict | None
    """The majority's; `unjudged` where there is none or nobody's words could be read."""
    judgements: tuple[Judgement, ...]
    share: float | None = None
    """Mean share of points, for an item with a rubric of its own."""


@dataclass
class Judges:
    """The judges of a run, as scoring reads them; used as a context manager."""

    folder: Path
    names: Sequence[str] = ()
    """Only these; all of them where there are none."""
    _said: dict[str, dict[tuple[str, int, str], Verdict]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def __enter__(self) -> "Judges":
        self.judges = {j.shown(): j for j in read_judges(self.folder, self.names)}
        self._cache = Cache(self.folder / CACHE_NAME) if self.judges else None
        if self._cache:
            self._cache.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._cache:
            self._cache.__exit__(None, None, None)

    def about(self, record: RecordBase, prediction: Prediction, reading: Reading) -> Judged | None:
        """Returns what the judges said; None where no judge is asked about such an answer."""
        if not self.judges or prompt(record, prediction, "paper") is None:
            return None
        found, shares = [], []
        for name, settings in self.judges.items():
            text = prompt(record, prediction, settings.protocol)
            assert text is not None
            raw = self._raw(key(settings, text))
            if raw is None:
                continue
            ruled = ruling(record, raw, settings.protocol, reading)
            verdict: Verdict = ruled.verdict or "wrong"
            if ruled.share is not None:
                verdict = "right" if ruled.share >= 1 else "wrong"
                shares.append(ruled.share)
            elif reading == "strict":
                self._said[name][prediction.task, prediction.replica, record.id] = verdict
            found.append(
                Judgement(
                    model=name,
                    prompt_sha256=sha256(text.encode()).hexdigest(),
                    raw=raw,
                    verdict=verdict,
                )
            )
        if shares:
            return Judged(None, tuple(found), sum(shares) / len(shares))
        return Judged(_majority([one.verdict for one in found]), tuple(found))

    def agreements(self) -> list[Agreement]:
        """Returns how far every two judges agree, task by task."""
        found = []
        for first, second in combinations(self.judges, 2):
            pairs: dict[str, list[tuple[Verdict, Verdict]]] = defaultdict(list)
            for item, verdict in self._said[first].items():
                other = self._said[second].get(item)
                if other is not None and "unjudged" not in {verdict, other}:
                    pairs[item[0]].append((verdict, other))
            for task, both in pairs.items():
                same = sum(one == other for one, other in both) / len(both)
                found.append(
                    Agreement(
                        task=task,
                        first=first,
                        second=second,
                        n=len(both),
                        same=round(same, 6),
                        kappa=_rounded(kappa(both)),
                    )
                )
        return found

    def _raw(self, address: bytes) -> str | None:
        assert self._cache is not None
        text = self._cache.get(address)
        if text is None:
            return None
        try:
            return str(json.loads(text)["raw"])
        except (ValueError, KeyError, TypeError):
            raise DataError("holds a verdict that is broken", path=self.folder) from None


def read_judges(folder: Path, names: Sequence[str] = ()) -> list[JudgeSettings]:
    """Returns the settings of the judges of a run, by name.

    Raises:
        SettingsError: A name is not among them.
    """
    paths = sorted((folder / JUDGES).glob("*.json"))
    found = {path.stem: path for path in paths}
    for name in names:
        if name not in found:
            raise SettingsError(f"{folder} has no judge {name!r}{nearest(name, found)}")
    return [
        parsed(JudgeSettings, path.read_bytes(), path)
        for name, path in found.items()
        if not names or name in names
    ]


def settings_path(folder: Path, name: str) -> Path:
    """Returns where the settings of a judge stand."""
    return folder / JUDGES / f"{name}.json"


def kappa(pairs: Sequence[tuple[object, object]]) -> float | None:
    """Returns Cohen's kappa of two judges' verdicts; None where chance alone explains all."""
    n = len(pairs)
    if n == 0:
        return None
    same = sum(one == other for one, other in pairs) / n
    left: Mapping[object, int] = Counter(one for one, _ in pairs)
    right: Mapping[object, int] = Counter(other for _, other in pairs)
    chance = sum(left[value] * right.get(value, 0) for value in left) / n**2
    return None if chance == 1 else (same - chance) / (1 - chance)


def _majority(verdicts: Sequence[Verdict]) -> Verdict:
    count = Counter(verdict for verdict in verdicts if verdict in {"right", "wrong"})
    if count["right"] == count["wrong"]:
        return "unjudged"  # nobody could be read, or the judges are divided
    return "right" if count["right"] > count["wrong"] else "wrong"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
