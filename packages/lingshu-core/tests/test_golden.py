"""What format 1 wrote stays readable, word for word.

The files under `golden/v1` are what lingshu-core 0.1.0 wrote. They are never written again: a
change that breaks this test breaks everybody's manifests and needs a new format.
"""

from pathlib import Path

import pytest

from lingshu_core.checkpoint import read_checkpoint
from lingshu_core.golds import Gold
from lingshu_core.manifest import Manifest
from lingshu_core.records import TYPES, Question, dump_line
from lingshu_core.validation import validate

V1 = Path(__file__).parent / "golden" / "v1"
MANIFEST_DIGEST = "9057a8114e57cb5de2241975927cb76663c6d0014d4c7ac8b76ca1ddd9bdf8ef"
CHECKPOINT_DIGEST = "618123022ebb96c940dca7c47181a6b1f24d5336db17eba8a9f0c36bf5323888"


def test_the_manifest_is_whole():
    manifest = Manifest(V1 / "manifest")
    assert validate(manifest, deep=True).faults == []
    assert manifest.digest() == MANIFEST_DIGEST
    assert manifest.header.parents[0].path == "raw"


def test_every_type_and_every_gold_is_in_it():
    records = list(Manifest(V1 / "manifest"))
    assert {record.type for record in records} == TYPES.keys()
    golds = {record.gold.kind for record in records if isinstance(record, Question) and record.gold}
    kinds = {kind.model_fields["kind"].default for kind in Gold.__origin__.__args__}
    assert golds == kinds


def test_writing_it_again_gives_the_same_lines():
    manifest = Manifest(V1 / "manifest")
    lines = b"".join(path.read_bytes() for path in manifest.parts).splitlines()
    assert [dump_line(record) for record in manifest] == lines


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_field_is_in_it(name):
    """A field that is in no golden record is not kept readable by anything."""
    kind = TYPES[name]
    fields = {
        field
        for record in Manifest(V1 / "manifest").of(kind)
        for field in record.model_fields_set
        if getattr(record, field) not in (None, (), {}, "")
    }
    without_pictures = {"images"} if name in {"instruction", "prediction", "score"} else set()
    missing = kind.model_fields.keys() - fields - without_pictures
    assert missing <= {"step", "error"}


def test_the_checkpoint_is_whole():
    found = read_checkpoint(V1 / "checkpoint", verify=True)
    assert found.digest() == CHECKPOINT_DIGEST
    assert (found.stage, found.steps, found.metrics) == ("deep", 12, {"loss": 1.25})
    assert found.parents[0].digest == MANIFEST_DIGEST
