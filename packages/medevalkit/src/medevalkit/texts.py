"""Words of reports for the metrics that count them, and tables of document frequencies."""

import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import broken_line
from medevalkit.metric import Pair

_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_JAR = "stanford-corenlp-3.4.1.jar"
# What COCO's evaluation drops after tokenizing: brackets only as capitals, which never come.
_DROPPED = frozenset(
    [*("''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-"), *".?!,:-;", "--", "..."]
)


class Frequencies(BaseModel):
    """In how many documents of a corpus each n-gram stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    documents: int = Field(gt=0)
    frequencies: dict[str, float]
    """By the n-gram, words separated by single spaces."""

    @property
    def log_documents(self) -> float:
        """The natural logarithm of the number of documents."""
        return math.log(self.documents)

    def by_words(self) -> dict[tuple[str, ...], float]:
        """Returns the frequencies by n-grams as tuples."""
        return {tuple(ngram.split(" ")): count for ngram, count in self.frequencies.items()}


def read_frequencies(path: str | None) -> Frequencies | None:
    """Reads the user's table; DataError where it is broken."""
    if path is None:
        return None
    try:
        return Frequencies.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        raise broken_line(Path(path), None, error) from None


def named(table: Frequencies | None) -> str:
    """Returns how a result names the table that it depends on."""
    if table is None:
        return "document frequencies of the references"
    return f"document frequencies of a table ({digest(table)[:12]})"


def tokenized(pairs: Sequence[Pair], tokenizer: Literal["words", "ptb"]) -> list[tuple[str, str]]:
    """Returns responses and references as words separated by single spaces, without punctuation."""
    texts = [text for pair in pairs for text in (pair.response, pair.reference)]
    found = _ptb(texts) if tokenizer == "ptb" else [" ".join(_words(text)) for text in texts]
    return list(zip(found[::2], found[1::2], strict=True))


def java(what: str) -> str:
    """Returns the Java command; SettingsError that says what wants it."""
    found = shutil.which("java")
    if found is None:
        raise SettingsError(
            f"{what} needs Java: install a runtime, such as openjdk-17-jre-headless"
        )
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _ptb(texts: Sequence[str]) -> list[str]:
    """Returns the words of texts as Stanford's tokenizer finds them; pycocoevalcap brings it."""
    command = java("the Penn Treebank tokenizer")
    lines = "\n".join(" ".join(text.split()) for text in texts)
    # One name at a time: a package without `__init__.py` takes no more (Python 3.11).
    with as_file(files("pycocoevalcap").joinpath("tokenizer").joinpath(_JAR)) as jar:
        ran = subprocess.run(
            [
                *(command, "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer"),
                *("-preserveLines", "-lowerCase"),
            ],
            input=lines + "\n",
            capture_output=True,
            text=True,
            check=True,
        )
    found = ran.stdout.split("\n")[: len(texts)]
    return [" ".join(w for w in line.split() if w not in _DROPPED) for line in found]
