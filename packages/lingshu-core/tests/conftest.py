"""What the tests of core share: pictures, manifests, random records, the command line."""

import hashlib
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from lingshu_core.golds import (
    BoxGold,
    ChoiceGold,
    FindingsGold,
    NumberGold,
    PhraseGold,
    YesNoGold,
)
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.records import (
    Box,
    Caption,
    Dialogue,
    Image,
    Imaging,
    Instruction,
    Judgement,
    Mask,
    Operation,
    Option,
    Prediction,
    Question,
    Report,
    Score,
    Source,
    Turn,
    Volume,
)

settings.register_profile("core", max_examples=20, deadline=None, derandomize=True)
settings.load_profile("core")

SOURCE = Source(dataset="tiny", licence="CC0-1.0")
PRODUCER = Producer(package="tests", version="0", command="tests", settings="")


@pytest.fixture(autouse=True, scope="session")
def quick():
    """No waiting for the disk, since power cuts are not tested, and no search for plug-ins.

    The processes that the tests start wait as ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        patch.setenv("LINGSHU_PLUGINS", "0")
        yield


def make_png(width=16, height=8, colour=(0, 0, 0)):
    """Returns a picture of one colour as PNG, without a picture library."""
    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture(scope="session")
def png():
    return make_png


@pytest.fixture(scope="session")
def producer():
    return PRODUCER


@pytest.fixture(scope="session")
def question():
    """Returns a function that makes a question; keywords change its fields."""

    def make(number=0, **fields):
        given = {
            "id": f"tiny/{number:04}",
            "source": SOURCE,
            "modality": Modality.XRAY,
            "question": f"What does picture {number} show?",
            "answer": "a chest",
            "answer_kind": "open",
        }
        return Question(**{**given, **fields})

    return make


@pytest.fixture(scope="session")
def make_manifest(question):
    """Returns a function that writes a manifest of questions about one picture each."""

    def make(out, numbers=range(4), *, pictures=True, part_bytes=1 << 20, **fields):
        with ManifestWriter(out, producer=PRODUCER, part_bytes=part_bytes) as writer:
            for number in numbers:
                images = ()
                if pictures:
                    ref = writer.add_file(make_png(colour=(number % 256, 0, 0)), suffix=".png")
                    images = (Image(**ref.model_dump(), width=16, height=8),)
                writer.write(question(number, images=images, **fields))
        return out

    return make


@pytest.fixture
def manifest(tmp_path, make_manifest):
    """The folder of a manifest of four questions with pictures, all of the split `train`."""
    return make_manifest(tmp_path / "four", source=SOURCE.model_copy(update={"split": "train"}))


@pytest.fixture(scope="session")
def rewrite():
    """Returns a function that changes a manifest's lines and makes its header fit again."""

    def change(folder, lines):
        data = b"".join(line + b"\n" for line in lines)
        (folder / "part-00000.jsonl").write_bytes(data)
        path = folder / "manifest.json"
        header = json.loads(path.read_text())
        header["parts"][0] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        path.write_text(json.dumps(header))
        return folder

    return change


@pytest.fixture(scope="session")
def lines():
    """Returns the lines of a manifest's first part."""
    return lambda folder: (Path(folder) / "part-00000.jsonl").read_bytes().splitlines()


@pytest.fixture(scope="session")
def parts():
    """Returns the bytes of all parts of a manifest, by name."""
    return lambda folder: {path.name: path.read_bytes() for path in Path(folder).glob("part-*")}


SERVER = """
import contextlib, io, json, os, sys, tempfile, traceback
import jinja2, lingshu_core.cli, lingshu_core.conversion, lingshu_core.pipeline
import lingshu_core.schemas, lingshu_core.selection, lingshu_core.validation
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    lingshu_core.cli.app(["manifest", "schema"])  # what the first command imports, all have
for line in sys.stdin:
    words, folder = json.loads(line)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv, status = ["lingshu", *words], 0
            try:
                lingshu_core.cli.main()
            except SystemExit as end:
                status = end.code or 0
            except BaseException:
                traceback.print_exc()
                status = 1
            sys.stdout.flush()
            os._exit(status)  # without the cost of taking down the interpreter
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told = []
        for file in (out, err):
            file.seek(0)
            told.append(file.read().decode())
    print(json.dumps([status, *told]), flush=True)
"""


@pytest.fixture(scope="session")
def lingshu():
    """Runs the real command line, each time in a process of its own.

    The processes are forked from one that has imported it, which saves most of their cost.
    """
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(*words):
        server.stdin.write(json.dumps([[str(word) for word in words], str(Path.cwd())]) + "\n")
        server.stdin.flush()
        status, out, err = json.loads(server.stdout.readline())
        return subprocess.CompletedProcess(words, status, out, err)

    yield run
    server.communicate()


# ---- records by hypothesis: `st.from_type(Question)` ------------------------------------------

_word = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
_text = _word.filter(lambda text: text.strip() != "")
_name = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,10}", fullmatch=True)
_sha = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
_segment = _name.filter(lambda name: set(name) != {"."})
_path = st.lists(_segment, min_size=1, max_size=3).map("/".join)
_count = st.integers(0, 10**6)
_size = st.integers(1, 10**5)
_finite = st.floats(allow_nan=False, allow_infinity=False)
_positive = st.floats(1e-3, 1e6)
_maybe = lambda strategy: st.none() | strategy  # noqa: E731
_tags = st.dictionaries(_name, _word, max_size=2)

_images = st.builds(
    Image, path=_path, sha256=_sha, width=_size, height=_size, frame=_maybe(_count),
    slice=_maybe(_count), volume=_maybe(_word),
)  # fmt: skip
_boxes = st.builds(
    Box, x=_positive, y=_positive, width=_positive, height=_positive, label=_maybe(_word),
    slice=_maybe(_count),
)  # fmt: skip
_common = {
    "id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    "source": st.builds(
        Source, dataset=_name, licence=_word, split=_maybe(_word), rank=st.integers(0, 100),
        group=_maybe(_word),
    ),
    "domain": st.sampled_from(["medical", "general"]),
    "modality": st.sampled_from(Modality),
    "language": st.sampled_from(["en", "zh", "zh-Hans", "de"]),
    "images": st.lists(_images, max_size=2).map(tuple),
    "tags": _tags,
    "provenance": st.lists(
        st.builds(
            Operation, package=_name, version=_name, operation=_name, settings=_maybe(_sha),
            prompt_sha256=_maybe(_sha), inputs=st.lists(_word, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
}  # fmt: skip
_presence = st.sampled_from(["present", "absent", "uncertain"])
_golds = st.one_of(
    st.builds(ChoiceGold, letter=st.sampled_from("ABCD"), text=_word),
    st.builds(YesNoGold, value=st.sampled_from(["yes", "no"])),
    st.builds(NumberGold, value=_finite, unit=_maybe(_word), tolerance=st.floats(0, 10)),
    st.builds(PhraseGold, accepted=st.lists(_word, min_size=1, max_size=3).map(tuple)),
    st.builds(
        BoxGold, boxes=st.lists(st.tuples(*[_finite] * 4), min_size=1, max_size=2).map(tuple)
    ),
    st.builds(FindingsGold, findings=st.dictionaries(_word, _presence, min_size=1, max_size=2)),
)


@st.composite
def _questions(draw):
    fields = {name: draw(strategy) for name, strategy in _common.items()}
    kind = draw(st.sampled_from(["choice", "closed", "open"]))
    answer, options = draw(_maybe(_text)), ()
    if kind == "choice":
        letters = draw(st.sets(st.sampled_from("ABCDEF"), min_size=2).map(sorted))
        options = tuple(Option(letter=letter, text=draw(_text)) for letter in letters)
        right = draw(st.sets(st.sampled_from(letters), min_size=1).map(sorted))
        answer = draw(_maybe(st.just("".join(right))))
    return Question(
        **fields, question=draw(_text), answer=answer, answer_kind=kind, options=options,
        rationale=draw(_maybe(_text)), gold=draw(_maybe(_golds)),
    )  # fmt: skip


_turns = st.builds(Turn, role=st.sampled_from(["system", "user", "assistant"]), text=_text)
_volume = st.builds(
    Volume, path=_path, sha256=_sha, shape=st.tuples(_size, _size, _size),
    spacing=st.tuples(_positive, _positive, _positive), orientation=st.just("RAS"),
)  # fmt: skip
_scalar = _word | st.integers(-(2**53), 2**53) | _finite | st.booleans()
_verdicts = st.sampled_from(["right", "wrong", "unparsed", "unanswered", "unjudged"])

st.register_type_strategy(Question, _questions())
st.register_type_strategy(Caption, st.builds(Caption, **_common, text=_text))
st.register_type_strategy(
    Imaging,
    st.builds(
        Imaging, **{**_common, "images": st.lists(_images, min_size=1, max_size=2).map(tuple)},
        volume=_maybe(_volume), labels=st.dictionaries(_word, _presence, max_size=2),
        organ=_maybe(_word), boxes=st.lists(_boxes, max_size=2).map(tuple),
        masks=st.builds(Mask, path=_path, sha256=_sha, labels=_tags).map(lambda mask: (mask,)),
        metadata=st.dictionaries(_word, _scalar, max_size=3),
    ),
)  # fmt: skip
st.register_type_strategy(
    Report,
    st.builds(Report, **_common, findings=_text, impression=_word, indication=_maybe(_word)),
)
st.register_type_strategy(
    Dialogue,
    st.builds(Dialogue, **_common, turns=st.lists(_turns, min_size=2, max_size=4).map(tuple)),
)
st.register_type_strategy(
    Instruction,
    st.builds(Instruction, **_common, instruction=_text, response=_text, system=_maybe(_text)),
)
st.register_type_strategy(
    Prediction,
    st.builds(
        Prediction, **_common, item=_word, task=_word, model=_word, prompt_sha256=_sha,
        response=st.text(st.characters(codec="utf-8"), max_size=20),
        finish_reason=st.sampled_from(["stop", "length", "refusal", "content_filter", "error"]),
        prompt_tokens=_maybe(_count), latency=_maybe(_positive), step=_maybe(_count),
        rewards=st.dictionaries(_name, _maybe(_finite), max_size=2),
    ),
)  # fmt: skip
st.register_type_strategy(
    Score,
    st.builds(
        Score, **_common, item=_word, task=_word, model=_word, profile=_word,
        metrics=st.dictionaries(_name, _finite, max_size=2), parsed=_maybe(_word),
        verdict=_maybe(_verdicts),
        judgements=st.lists(
            st.builds(Judgement, model=_word, prompt_sha256=_sha, raw=_word, verdict=_verdicts),
            max_size=1,
        ).map(tuple),
    ),
)  # fmt: skip
