"""Copies of a picture go, the best stays, and what only looks alike stays too."""

import numpy as np
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_data.curate import curate
from lingshu_data.hashing import distance, phash
from lingshu_data.settings import CurateSettings, Running


def dedup(folder, **settings):
    step = {"operator": "picture-dedup", **settings}
    out = folder / f"out-{len(list(folder.iterdir()))}"
    curate([folder / "in"], out, CurateSettings(steps=(step,)), Running())
    return (
        {record.id for record in Manifest(out)},
        {
            r.id: (r.tags["dropped_reason"], r.tags["dropped_for"])
            for r in Manifest(out / "dropped")
        },
    )


def test_rank_then_resolution_then_id_decide_who_stays(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    worst = toy.imaging(png(noise(1)), rank=60)
    best = toy.imaging(png(noise(1), compress_level=1), rank=10)
    small = toy.imaging(png(noise(2, 80, 72)))
    large = toy.imaging(png(noise(2, 160, 144)))
    toy.close()
    kept, gone = dedup(tmp_path)
    assert kept == {best.id, large.id}
    assert gone[worst.id] == ("same perceptual hash", best.id)
    assert gone[small.id][1] == large.id


def test_equal_bytes_are_told_from_equal_looks(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    records = [toy.imaging(png(noise(1))) for _ in range(3)]
    toy.close()
    kept, gone = dedup(tmp_path)
    assert len(kept) == 1 and {reason for reason, _ in gone.values()} == {"same bytes"}
    assert kept | set(gone) == {record.id for record in records}


def test_copies_of_what_goes_for_its_looks_count_by_their_bytes(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    best = toy.imaging(png(noise(1), compress_level=1), rank=1)
    for _ in range(3):
        toy.imaging(png(noise(1)))
    toy.close()
    kept, gone = dedup(tmp_path)
    assert kept == {best.id} and {keeper for _, keeper in gone.values()} == {best.id}
    assert sorted(reason for reason, _ in gone.values()) == [
        "same bytes", "same bytes", "same perceptual hash",
    ]  # fmt: skip


def test_even_pictures_are_compared_by_their_bytes(tmp_path, build):
    toy = build()
    for level in (0, 90, 91, 255, 255):
        image = Pillow.new("L", (100, 80), level)
        toy.imaging(_png(image))
    toy.close()
    kept, gone = dedup(tmp_path)
    assert (len(kept), len(gone)) == (4, 1)


def test_slices_of_a_volume_are_not_each_others_duplicates(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    near = [png(noise(1), compress_level=level) for level in (1, 5, 9)]
    first = toy.imaging(near[0], rank=1, place={"volume": "v1", "slice": 0})
    second = toy.imaging(near[1], rank=2, place={"volume": "v1", "slice": 1})
    other = toy.imaging(near[2], rank=3, place={"volume": "v2", "slice": 7})
    toy.close()
    kept, gone = dedup(tmp_path)
    assert kept == {first.id, second.id}
    assert gone[other.id][1] == first.id


def test_distance_finds_recompressed_copies(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    original = toy.imaging(png(noise(5)), rank=1)
    pixels = np.asarray(noise(5)).astype(int)
    changed = np.clip(pixels + np.random.default_rng(0).normal(0, 60, pixels.shape), 0, 255)
    assert 0 < distance(phash(noise(5)), phash(Pillow.fromarray(changed.astype(np.uint8)))) <= 8
    copy = toy.imaging(png(Pillow.fromarray(changed.astype(np.uint8))))
    toy.imaging(png(noise(6)))
    toy.close()
    kept, gone = dedup(tmp_path)
    assert copy.id in kept
    kept, gone = dedup(tmp_path, distance=8)
    assert gone == {copy.id: ("near perceptual hash", original.id)} and len(kept) == 2


def test_a_second_witness_saves_what_only_shares_a_hash(tmp_path, build, pictures):
    noise, png = pictures
    base = noise(5, 256, 256)
    # The hash looks at 8 of 32 frequencies: finer changes escape it.
    fine = np.asarray(base).astype(int)
    fine = np.clip(fine + 60 * ((np.indices((256, 256)).sum(0) // 8 % 2)[..., None]), 0, 255)
    toy = build()
    toy.imaging(png(base))
    toy.imaging(png(Pillow.fromarray(fine.astype(np.uint8))))
    toy.close()
    assert len(dedup(tmp_path, distance=8)[1]) == 1
    assert dedup(tmp_path, distance=8, verify="thumbnail")[1] == {}
    assert dedup(tmp_path, distance=8, verify="phash256")[1] == {}


def test_deep_pictures_are_scaled_before_they_are_compared(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    for seed in (1, 2):
        grey = np.asarray(noise(seed).convert("L")).astype(np.uint16)
        deep = Pillow.fromarray(grey * 200 + 3000)
        # Cut off at 255, as Pillow does it, both are the same white.
        assert phash(deep.convert("I").convert("L")) == phash(Pillow.new("L", deep.size, 255))
        toy.imaging(png(deep), rank=1)
    low, high = int(grey.min()), int(grey.max())
    plain = ((grey - low) / (high - low) * 255 + 0.5).astype(np.uint8)
    copy = toy.imaging(png(Pillow.fromarray(plain)))
    toy.close()
    kept, gone = dedup(tmp_path)
    assert (len(kept), gone.keys()) == (2, {copy.id})


def test_scope_keeps_datasets_apart(tmp_path, build, pictures):
    noise, png = pictures
    toy = build()
    for dataset in ("one", "two", "two"):
        toy.imaging(png(noise(1)), dataset=dataset)
    toy.close()
    assert len(dedup(tmp_path)[0]) == 1
    assert len(dedup(tmp_path, within=["dataset"])[0]) == 2


def test_records_with_several_pictures_are_compared_as_wholes(tmp_path, build, pictures):
    noise, png = pictures
    one, two = png(noise(1)), png(noise(2))
    toy = build()
    toy.imaging(one)
    toy.imaging(one, two)
    toy.imaging(one, two)
    toy.imaging(two, one)
    toy.close()
    kept, gone = dedup(tmp_path)
    assert (len(kept), len(gone)) == (3, 1)


def _png(image):
    import io

    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
