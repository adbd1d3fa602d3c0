"""Pictures are decoded as transformers' Pillow processor does, to the bit."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from transformers import AutoImageProcessor

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.records import Image
from lingshu_train import pictures
from lingshu_train.pictures import BROKEN, PictureReader
from lingshu_train.runner import load_processor, open_sources, run_stage
from lingshu_train.samples import Codec
from lingshu_train.settings import Stage
from lingshu_train.world import World


@pytest.fixture(scope="module")
def processor(base: Path) -> object:
    return AutoImageProcessor.from_pretrained(base, backend="pil")


def _saved(folder: Path, mode: str, size: tuple[int, int], kind: str) -> tuple[Path, Image]:
    rng = np.random.default_rng(size[0] + len(mode))
    channels = len(Pillow.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    shown = Pillow.fromarray(rng.integers(0, 255, shape, dtype=np.uint8), mode=None)
    shown = shown if shown.mode == mode else shown.convert(mode)
    path = folder / f"x.{kind}"
    shown.save(path)
    return path, Image(path=path.name, sha256="0" * 64, width=size[0], height=size[1])


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA"])
@pytest.mark.parametrize("size", [(112, 112), (448, 448), (97, 211), (300, 40), (30, 30)])
def test_patches_equal_the_reference_bit_for_bit(
    tmp_path: Path, processor: object, mode: str, size: tuple[int, int]
) -> None:
    path, image = _saved(tmp_path, mode, size, "png")
    values, grid = PictureReader(processor).read(path, image)
    with Pillow.open(path) as shown:
        expected = processor(shown, return_tensors="np")
    assert expected["image_grid_thw"].tolist() == [[1, grid.height, grid.width]]
    assert values.dtype == np.float32
    assert np.array_equal(values, expected["pixel_values"])


def test_jpeg_equals_the_reference(tmp_path: Path, processor: object) -> None:
    path, image = _saved(tmp_path, "RGB", (224, 180), "jpg")
    with Pillow.open(path) as shown:
        expected = processor(shown, return_tensors="np")["pixel_values"]
    assert np.array_equal(PictureReader(processor).read(path, image)[0], expected)


def test_the_recipe_bounds_the_tokens_of_a_picture_and_the_checkpoint_keeps_it(
    tmp_path: Path, make_stage: Callable[..., Stage], base: Path, world: World
) -> None:
    """Four tokens at most, where the parent's processor would give up to sixteen."""
    bounds = {"min_pixels": 28 * 28 * 2, "max_pixels": 28 * 28 * 4}
    stage, out = make_stage(pictures=bounds), tmp_path / "out"
    sources = open_sources(stage, "t", out, world)
    shown = [record for record in sources.mixture.manifest if record.images]
    before = Codec(load_processor(base), max_length=512)
    counts = {codec: [] for codec in (before, sources.mixture.codec)}
    for codec, found in counts.items():
        reader = codec.pictures
        found += [
            reader.grid(image.width, image.height).tokens(reader.merge)
            for record in shown for image in record.images
        ]  # fmt: skip
    assert max(counts[before]) > 4 >= max(counts[sources.mixture.codec])
    assert min(counts[sources.mixture.codec]) >= 2
    run_stage(stage, "t", out, world)
    kept = load_processor(out).image_processor.size
    assert (kept["shortest_edge"], kept["longest_edge"]) == tuple(bounds.values())


def test_a_bound_that_does_not_go_with_the_parents_other_is_refused(
    tmp_path: Path, make_stage: Callable[..., Stage], world: World
) -> None:
    stage = make_stage(pictures={"max_pixels": 28 * 28})
    with pytest.raises(SettingsError, match="at least 3,136 pixels and at most 784"):
        open_sources(stage, "t", tmp_path / "out", world)


def test_a_picture_of_another_size_than_recorded_is_refused(
    tmp_path: Path, processor: object
) -> None:
    path, image = _saved(tmp_path, "RGB", (60, 60), "png")
    with pytest.raises(DataError, match="60x60 where the record says 61x60"):
        PictureReader(processor).read(path, image.model_copy(update={"width": 61}))


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_cut_picture_raises_what_the_loader_sets_aside(
    tmp_path: Path, processor: object, kind: str
) -> None:
    path, image = _saved(tmp_path, "RGB", (200, 200), kind)
    whole = path.read_bytes()
    for keep in (0, 10, 60, len(whole) // 2):
        path.write_bytes(whole[:keep])
        with pytest.raises(BROKEN):
            PictureReader(processor).read(path, image)


def test_a_frame_of_a_multi_frame_file_is_read(tmp_path: Path, processor: object) -> None:
    frames = [Pillow.new("RGB", (56, 56), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    path = tmp_path / "x.tiff"
    path.write_bytes(buffer.getvalue())
    reader = PictureReader(processor)
    image = Image(path="x.tiff", sha256="0" * 64, width=56, height=56, frame=1)
    assert np.array_equal(reader.open(path, image).pixels, np.asarray(frames[1]))


def test_a_picture_just_read_is_not_decoded_again(tmp_path: Path, processor: object) -> None:
    path, image = _saved(tmp_path, "RGB", (112, 112), "png")
    reader = PictureReader(processor)
    first, _ = reader.read(path, image)
    path.unlink()
    assert np.array_equal(reader.read(path, image)[0], first)


def test_a_reader_keeps_no_more_bytes_than_it_may(
    tmp_path: Path, processor: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_RECENT", 112 * 112 * 3)
    path, image = _saved(tmp_path, "RGB", (112, 112), "png")
    other = path.with_name("other.png")
    other.write_bytes(path.read_bytes())
    reader = PictureReader(processor)
    for each in (path, other):
        reader.read(each, image)
        each.unlink()
    reader.read(other, image)
    with pytest.raises(FileNotFoundError):
        reader.read(path, image)


def test_a_picture_larger_than_all_that_may_be_kept_is_read_all_the_same(
    tmp_path: Path, processor: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_RECENT", 1)
    path, image = _saved(tmp_path, "RGB", (112, 112), "png")
    reader = PictureReader(processor)
    first, _ = reader.read(path, image)
    assert np.array_equal(reader.read(path, image)[0], first)
