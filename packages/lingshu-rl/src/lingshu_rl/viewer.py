"""`lingshu-rl rollouts`: curves, and every prompt with its pictures and answers, step by step.

The page opens from the file system, however long the run was: it holds an index of the groups,
and fetches the answers of a few hundred at a time from files beside it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lingshu_core import charts
from lingshu_core.console import progress, say
from lingshu_core.errors import DataError
from lingshu_core.files import link_or_copy, write_atomic
from lingshu_core.manifest import Manifest, broken_line
from lingshu_core.messages import ask
from lingshu_core.page import PAGE_NAME, SCRIPT_NAME
from lingshu_core.panels import Bars, Lines, Stats
from lingshu_core.recipe import SETTINGS_NAME
from lingshu_core.records import Prediction, Question
from lingshu_rl.logbook import LOG, ROLLOUTS, Journal, RolloutFolder
from lingshu_rl.page import run_panels
from lingshu_rl.settings import TrainingRecipe

_CHUNK = 400_000
"""Bytes of answers in one file."""
_SHOWN_BY_BROWSERS = {".png", ".jpg", ".jpeg", ".webp", ".gif"}
_PICTURES = "pictures"


@dataclass
class _Index:
    """What the page knows of every group without opening its answers."""

    names: list[str] = field(default_factory=list)
    """Texts that repeat, addressed by number: datasets, modalities, kinds, questions."""
    groups: list[list[Any]] = field(default_factory=list)
    """Chunk, place in it, step, dataset, modality, kind, question, mean, least, greatest reward."""
    _places: dict[str, int] = field(default_factory=dict)

    def name(self, text: str) -> int:
        """Returns the number of a text."""
        if text not in self._places:
            self._places[text] = len(self.names)
            self.names.append(text)
        return self._places[text]


def write_viewer(run: Path, out: Path, prompts: Path | None = None) -> int:
    """Writes the page of a run, finished or not.

    Args:
        run: Folder of `lingshu-rl run`.
        out: Folder of the page; what lies there from before is replaced.
        prompts: The manifest of the questions, where it is no longer where the run found it.

    Returns:
        How many answers it shows.

    Raises:
        DataError: It is no run, or a question or picture is missing.
    """
    recipe = _recipe(run)
    manifest = Manifest(prompts or recipe.prompts)
    questions = {question.id: question for question in manifest.of(Question)}
    weights = {name: reward.weight for name, reward in recipe.rewards.items()}
    index, count, pictures = _Index(), 0, set[str]()
    (out / "data").mkdir(parents=True, exist_ok=True)
    for part in progress(RolloutFolder(run / ROLLOUTS).parts(), "rollouts"):
        chunks = _chunks(_groups(part, questions, weights))
        for number, groups in enumerate(chunks):
            name = f"{part.stem.removeprefix('part-')}-{number}"
            for place, group in enumerate(groups):
                _list(index, name, place, group)
                pictures |= _link(questions[group["id"]], manifest, out, pictures)
                count += len(group["answers"])
            text = json.dumps(groups, ensure_ascii=False, separators=(",", ":"))
            write_atomic(out / "data" / f"{name}.js", f'chunk("{name}",{text});\n')
    text = json.dumps({"names": index.names, "groups": index.groups}, separators=(",", ":"))
    write_atomic(out / "data" / "index.js", f"index({text});\n")
    _write_page(run, out, recipe, count)
    return count


def _recipe(run: Path) -> TrainingRecipe:
    path = run / SETTINGS_NAME
    if not path.is_file() or not (run / ROLLOUTS).is_dir():
        raise DataError("is no folder of `lingshu-rl run`: no settings, or no rollouts", path=run)
    try:
        return TrainingRecipe.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise broken_line(path, 1, error) from None


def _groups(
    part: Path, questions: dict[str, Question], weights: dict[str, float]
) -> Iterator[dict[str, Any]]:
    """Yields the groups of a rollout: a question and its answers."""
    answers: dict[tuple[str, str], list[Prediction]] = {}
    for answer in Manifest(part).of(Prediction):
        answers.setdefault((answer.item, answer.tags.get("attempt", "0")), []).append(answer)
    for (item, _), group in answers.items():
        if item not in questions:
            raise DataError("is asked in a rollout and not in the prompts", path=part, record=item)
        yield _group(questions[item], group, weights)


def _group(
    question: Question, answers: list[Prediction], weights: dict[str, float]
) -> dict[str, Any]:
    shown = [_answer(answer, weights) for answer in answers]
    gold = question.gold
    return {
        "id": question.id,
        "step": answers[0].step or 0,
        "dataset": question.source.dataset,
        "modality": question.modality.value,
        "kind": gold.kind if gold else "none",
        "gold": gold.model_dump(mode="json", exclude={"kind"}) if gold else {},
        "prompt": "\n".join(message.text for message in ask(question, "think")),
        "question": question.question,
        "images": [_picture_name(image.path) for image in question.images],
        "answers": shown,
    }


def _answer(answer: Prediction, weights: dict[str, float]) -> dict[str, Any]:
    untold = any(value is None for value in answer.rewards.values())
    total = sum(weights.get(n, 0.0) * (v or 0.0) for n, v in answer.rewards.items())
    return {
        "text": answer.response,
        "total": None if untold else round(total, 4),
        "rewards": answer.rewards,
        "why": {
            tag.removeprefix("why_"): text
            for tag, text in answer.tags.items()
            if tag.startswith("why_")
        },
        "veto": answer.tags.get("veto", ""),
        "attempt": answer.tags.get("attempt", ""),
        "tokens": answer.completion_tokens,
        "cut": answer.finish_reason == "length",
    }


def _chunks(groups: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    held: list[dict[str, Any]] = []
    size = 0
    for group in groups:
        held.append(group)
        size += sum(len(answer["text"]) + 150 for answer in group["answers"])
        if size >= _CHUNK:
            yield held
            held, size = [], 0
    if held:
        yield held


def _list(index: _Index, chunk: str, place: int, group: dict[str, Any]) -> None:
    totals = [answer["total"] for answer in group["answers"] if answer["total"] is not None]
    mean = round(sum(totals) / len(totals), 4) if totals else None
    texts = (group["dataset"], group["modality"], group["kind"], group["question"])
    index.groups.append(
        [
            *(index.name(chunk), place, group["step"], *map(index.name, texts), mean),
            min(totals, default=None),
            max(totals, default=None),
        ]
    )


def _link(question: Question, manifest: Manifest, out: Path, known: set[str]) -> set[str]:
    """Puts the pictures of a question beside the page, as a browser can show them."""
    for image in question.images:
        name = _picture_name(image.path)
        target = out / _PICTURES / name
        if name in known or target.exists():
            continue
        source = manifest.file(image, record=question.id)
        if source.suffix.lower() in _SHOWN_BY_BROWSERS:
            link_or_copy(source, target)
        else:
            from PIL import Image

            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(source) as picture:
                picture.convert("RGB").save(target)
    return {_picture_name(image.path) for image in question.images}


def _picture_name(path: str) -> str:
    name = Path(path)
    return name.name if name.suffix.lower() in _SHOWN_BY_BROWSERS else f"{name.stem}.png"


def _write_page(run: Path, out: Path, recipe: TrainingRecipe, count: int) -> None:
    import jinja2

    rollouts = Journal(run / LOG / "rollouts.jsonl").read()
    steps = Journal(run / LOG / "steps.jsonl").read()
    panels = run_panels(rollouts, steps, Journal(run / LOG / "heldout.jsonl").read())
    drawn = [panel for panel in panels if isinstance(panel, Lines | Bars)]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lingshu_rl"), autoescape=True, trim_blocks=True
    )
    text = environment.get_template("rollouts.html.j2").render(
        title=f"Rollouts of {recipe.name}",
        lead=f"{count} answers to {len(rollouts)} rollouts' prompts.",
        charts=[{"panel": panel, "chart": charts.figure(panel)} for panel in drawn],
        rewards=list(recipe.rewards),
        script=SCRIPT_NAME,
    )
    with as_file(files("plotly").joinpath("package_data", SCRIPT_NAME)) as path:
        link_or_copy(path, out / SCRIPT_NAME)
    write_atomic(out / PAGE_NAME, text)
    Stats(
        title=f"Rollouts of {recipe.name}",
        package="lingshu-rl",
        version="",
        command="lingshu-rl rollouts",
        counts={"answers": count, "rollouts": len(rollouts)},
    ).write(out)
    say(f"page: {out / PAGE_NAME}")
