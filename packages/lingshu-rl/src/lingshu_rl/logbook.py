"""What a run leaves while it runs: journals by step, and every answer as a record."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lingshu_core.digest import file_sha256
from lingshu_core.files import write_atomic
from lingshu_core.manifest import FORMAT, HEADER_NAME, Header, Kind, Parent, PartInfo, Producer
from lingshu_core.records import Prediction, dump_line

ROLLOUTS = "rollouts"
LOG = "log"


class Journal:
    """A file of JSON lines; what a resumed run makes again is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rewind(self, step: int) -> None:
        """Forgets what was written after a step."""
        self.keep([line for line in self.read() if line["step"] <= step])

    def keep(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Replaces what stands there, a line cut by a kill included."""
        write_atomic(self.path, "".join(json.dumps(line) + "\n" for line in lines))

    def add(self, line: Mapping[str, Any]) -> None:
        """Appends a line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """Returns the lines; one that a kill cut in the middle is left out."""
        if not self.path.is_file():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found


class RolloutFolder:
    """Every answer of a run, one part of a manifest to a rollout.

    While the run goes on each part can be read as a plain `.jsonl` file; the header that makes
    the folder a manifest is written at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def parts(self) -> list[Path]:
        """Returns the parts that are there, in order."""
        return sorted(self.folder.glob("part-*.jsonl"))

    def rewind(self, rollouts: int) -> None:
        """Forgets all but the first so many rollouts."""
        (self.folder / HEADER_NAME).unlink(missing_ok=True)
        for part in self.parts():
            if int(part.stem.removeprefix("part-")) >= rollouts:
                part.unlink()

    def add(self, rollout: int, records: Iterable[Prediction]) -> None:
        """Writes the answers of a rollout, whole or not at all."""
        data = b"".join(dump_line(record) + b"\n" for record in records)
        write_atomic(self.folder / f"part-{rollout:05}.jsonl", data)

    def finish(self, producer: Producer, parents: Sequence[Parent]) -> None:
        """Makes the folder a manifest."""
        infos = []
        for part in self.parts():
            data = part.read_bytes()
            infos.append(
                PartInfo(
                    path=part.name,
                    count=data.count(b"\n"),
                    bytes=len(data),
                    sha256=file_sha256(part),
                )
            )
        count = sum(info.count for info in infos)
        header = Header(
            format=FORMAT,
            records={"prediction": Kind(count=count, version=Prediction.SCHEMA)},
            count=count,
            parts=tuple(infos),
            producer=producer,
            parents=tuple(parents),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        text = header.model_dump_json(indent=2, by_alias=True) + "\n"
        write_atomic(self.folder / HEADER_NAME, text)
