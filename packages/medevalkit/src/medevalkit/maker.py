"""From a publisher's rows to records: what every benchmark needs for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lingshu_core.digest import record_id
from lingshu_core.errors import DataError
from lingshu_core.files import resolve_inside
from lingshu_core.golds import PhraseGold
from lingshu_core.modality import Modality
from lingshu_core.records import Image, Option, Question, Report, Source

if TYPE_CHECKING:
    # Writing manifests takes a while to load as well.
    from lingshu_core.manifest_writer import ManifestWriter

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SUFFIXES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"GIF8": ".gif", b"RIFF": ".webp"}


class Maker:
    """Makes the records of one benchmark and puts their pictures into its manifest.

    Args:
        dataset: Name of the benchmark.
        licence: Of its items.
        split: The publisher's.
        folder: The publisher's folder, in which paths of pictures start.
        writer: Where pictures go.
        blind: Whether pictures are left out: the items are then asked without them.
    """

    def __init__(
        self,
        dataset: str,
        licence: str,
        split: str,
        folder: Path,
        writer: "ManifestWriter",
        *,
        blind: bool = False,
    ) -> None:
        self.dataset = dataset
        self.folder = folder
        self._licence = licence
        self._split = split
        self._writer = writer
        self._blind = blind
        self._known: dict[str, Image] = {}

    def pictures(self, *values: object) -> tuple[Image, ...]:
        """Returns pictures named by their path below the folder, or given as `{"bytes": …}`.

        Raises:
            DataError: There is no such picture, or it is none.
        """
        if self._blind:
            return ()
        return tuple(self._picture(value) for value in values if value is not None)

    def choice(
        self,
        key: str,
        question: str,
        options: Sequence[str] | Mapping[str, str],
        answer: Any,
        **more: Any,
    ) -> Question:
        """Returns a question with options.

        Args:
            key: The publisher's key of the row, or what tells it from its neighbours.
            question: Its words.
            options: Texts in order, labels and all, or by letter; what is empty is left out.
            answer: A letter, several letters, or an index from 0; None where it is withheld.
            more: Other fields of the record; unknown names become tags.
        """
        if isinstance(options, Mapping):
            listed = [options[letter] for letter in sorted(options)]
        else:
            listed = list(options)
        kept = [str(text) for text in listed if text is not None and str(text).strip()]
        if len(kept) < 2:
            raise DataError("has fewer than two options", field="options")
        # The grammar takes a while to load, and lists of benchmarks do without.
        from lingshu_core.answers import options_from

        texts = list(options_from(kept).values())
        if isinstance(answer, int):
            answer = _LETTERS[answer]
        letters = None if answer is None else "".join(sorted(set(str(answer).strip().upper())))
        shown = tuple(
            Option(letter=letter, text=text) for letter, text in zip(_LETTERS, texts, strict=False)
        )
        return self._question(key, question, letters, "choice", options=shown, **more)

    def words(
        self,
        key: str,
        question: str,
        answer: str | Sequence[str],
        *,
        closed: bool | None = None,
        **more: Any,
    ) -> Question:
        """Returns a question without options.

        Args:
            key: As for `choice`.
            question: Its words.
            answer: The gold, or several wordings of it.
            closed: Whether it is a closed question; None: if it is answered by yes or no.
            more: As for `choice`.
        """
        wordings = [answer] if isinstance(answer, str) else list(answer)
        if not wordings or not wordings[0].strip():
            raise DataError("has no answer", field="answer")
        first = wordings[0].strip()
        if closed is None:
            closed = first.lower() in {"yes", "no"}
        from lingshu_core.answers import yes_no_gold

        if len(wordings) > 1 and yes_no_gold(first) is None:
            more["gold"] = PhraseGold(accepted=tuple(wordings))
        return self._question(key, question, first, "closed" if closed else "open", **more)

    def withheld(self, key: str, question: str, **more: Any) -> Question:
        """Returns a question without options whose answer the publisher keeps to himself."""
        return self._question(key, question, None, "open", **more)

    def report(self, key: str, findings: str, impression: str, **more: Any) -> Report:
        """Returns a report; pydantic's error where it says nothing."""
        indication = more.pop("indication", None)
        return Report(
            findings=_clean(findings),
            impression=_clean(impression),
            indication=_clean(indication) if indication else None,
            **self._common(key, more),
        )

    def source(self, group: str | None = None) -> Source:
        """Returns where the records come from."""
        return Source(
            dataset=self.dataset, licence=self._licence, split=self._split, rank=0, group=group
        )

    def _question(
        self, key: str, question: str, answer: str | None, kind: str, **more: Any
    ) -> Question:
        fields = {"question": question.strip(), "answer": answer, "answer_kind": kind}
        for name in ("options", "gold"):
            if name in more:
                fields[name] = more.pop(name)
        return Question.model_validate({**fields, **self._common(key, more)})

    def _common(self, key: str, more: dict[str, Any]) -> dict[str, Any]:
        images = more.pop("images", ())
        modality = more.pop("modality", Modality.UNKNOWN if images else Modality.TEXT)
        if self._blind:
            modality = Modality.TEXT
        language = more.pop("language", "en")
        group = images[0].sha256 if images else None
        tags = {name: str(value) for name, value in more.items() if value not in (None, "")}
        return {
            "id": record_id(self.dataset, key),
            "source": self.source(group),
            "images": images,
            "modality": modality,
            "language": language,
            "tags": tags,
        }

    def _picture(self, value: object) -> Image:
        import imagesize

        name, data = self._bytes(value)
        if name in self._known:
            return self._known[name]
        suffix = next((end for head, end in _SUFFIXES.items() if data.startswith(head)), "")
        ref = self._writer.add_file(data, suffix=suffix or Path(name).suffix.lower() or ".png")
        width, height = imagesize.get(self._writer.folder / ref.path)
        if width <= 0 or height <= 0:
            raise DataError(f"the picture {name!r} is broken or in no known format")
        image = Image(path=ref.path, sha256=ref.sha256, width=width, height=height)
        if name:
            self._known[name] = image
        return image

    def _bytes(self, value: object) -> tuple[str, bytes]:
        if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
            return "", value["bytes"]
        name = str(value.get("path") if isinstance(value, dict) else value)
        path = resolve_inside(self.folder, name)
        if not path.is_file():
            raise DataError(f"there is no picture {name!r} in {self.folder.name}")
        return name, path.read_bytes()


def _clean(text: str) -> str:
    return " ".join(text.split())
