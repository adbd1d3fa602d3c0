"""What a step read and wrote, as a hash that changes with the content and with nothing else."""

import os

import pytest

from lingshu_core.checkpoint import Checkpoint, describe
from lingshu_core.errors import DataError
from lingshu_core.fingerprint import of_input, of_output
from lingshu_core.manifest import Manifest


def test_a_file(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("a")
    assert of_output(tmp_path / "a") == of_output(tmp_path / "b") == of_input(tmp_path / "a")
    (tmp_path / "b").write_text("b")
    assert of_output(tmp_path / "a") != of_output(tmp_path / "b")


def test_a_manifest(tmp_path, make_manifest):
    one, other = make_manifest(tmp_path / "one"), make_manifest(tmp_path / "other")
    (other / "stats.json").write_text("{}")
    assert of_output(one) == of_output(other) == of_input(one) == Manifest(one).digest()


@pytest.mark.parametrize("harm", ["cut", "missing"])
def test_a_damaged_manifest(manifest, harm):
    part = manifest / "part-00000.jsonl"
    if harm == "cut":
        part.write_bytes(part.read_bytes()[:-1])
    else:
        part.unlink()
    with pytest.raises(DataError, match="missing or was cut"):
        of_output(manifest)


def test_a_checkpoint(tmp_path, producer):
    (tmp_path / "model.safetensors").write_text("a")
    description = Checkpoint(stage="deep", recipe="a", producer=producer, steps=0, samples=0)
    found = describe(tmp_path, description)
    assert of_output(tmp_path) == of_input(tmp_path) == found.digest()


def test_a_folder_is_what_is_in_it(tmp_path, make_manifest):
    for name in ("one", "other"):
        make_manifest(tmp_path / name / "train")
        (tmp_path / name / "scores.json").write_text("[]")
        (tmp_path / name / "stats.json").write_text(f'{{"seconds": {len(name)}}}')
        (tmp_path / name / "settings.json").write_text(name)
    assert of_output(tmp_path / "one") == of_output(tmp_path / "other")
    (tmp_path / "one" / "scores.json").rename(tmp_path / "one" / "score.json")
    assert of_output(tmp_path / "one") != of_output(tmp_path / "other")


def test_links_are_not_followed(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "up").symlink_to("..")
    (folder / "gone").symlink_to("nowhere")
    before = of_output(folder), of_input(folder)
    assert before == (of_output(folder), of_input(folder))
    (folder / "gone").unlink()
    (folder / "gone").symlink_to("elsewhere")
    assert of_output(folder) != before[0]


def test_raw_data_is_known_by_names_sizes_and_times(tmp_path):
    data = tmp_path / "data"
    (data / "sub").mkdir(parents=True)
    (data / "sub" / "a.png").write_text("a")
    before = of_input(data)
    assert of_input(data) == before
    os.utime(data / "sub" / "a.png", (1, 1))
    assert of_input(data) != before
    with pytest.raises(DataError, match="no such file or folder"):
        of_input(tmp_path / "none")
