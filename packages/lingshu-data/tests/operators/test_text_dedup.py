"""Of texts that are almost the same the most reliable stays, and no other goes."""

import itertools

import numpy as np

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest
from lingshu_core.records import Instruction, Source
from lingshu_data.curate import curate
from lingshu_data.settings import CurateSettings, Running
from lingshu_data.texts import words_of


def instruction(builder, text, rank=50, dataset="toy", language="en"):
    builder.count += 1
    return builder.write(
        Instruction(
            id=record_id(dataset, str(builder.count)),
            source=Source(dataset=dataset, licence="CC0-1.0", rank=rank),
            language=language,
            modality="text",
            instruction=text,
            response="Yes.",
        )
    )


def dedup(folder, **settings):
    out = folder / f"out-{len(list(folder.iterdir()))}"
    step = {"operator": "text-dedup", **settings}
    curate([folder / "in"], out, CurateSettings(steps=(step,)), Running())
    tags = {record.id: record.tags for record in Manifest(out / "dropped")}
    return (
        {record.id for record in Manifest(out)},
        {name: (tag["dropped_reason"], tag["dropped_for"]) for name, tag in tags.items()},
    )


def text(seed, words=60):
    random = np.random.default_rng(seed)
    return " ".join(f"w{number}" for number in random.integers(0, 4000, words))


def changed(words, *places):
    found = words.split()
    for place in places:
        found[place] = "changed"
    return " ".join(found)


def runs(value, size):
    words = words_of(value)
    return {tuple(words[n : n + size]) for n in range(max(len(words) - size + 1, 1))}


def test_rank_decides_who_stays_and_reasons_tell_equal_from_alike(tmp_path, build):
    toy = build()
    best = instruction(toy, text(1), rank=5)
    same = instruction(toy, text(1).upper() + "!", rank=40)
    near = instruction(toy, changed(text(1), 0), rank=60)
    again = instruction(toy, changed(text(1), 0), rank=61)
    other = instruction(toy, text(2), rank=60)
    toy.close()
    kept, gone = dedup(tmp_path)
    assert kept == {best.id, other.id}
    assert gone == {
        same.id: ("same text", best.id),
        near.id: ("almost the same text", best.id),
        again.id: ("same text", best.id),
    }


def test_the_pairs_are_those_of_the_true_jaccard_similarity(tmp_path, build):
    toy = build()
    random = np.random.default_rng(0)
    records = []
    for seed in range(20):
        base = text(seed)
        records.append(instruction(toy, base))
        places = random.integers(0, 60, seed % 7)
        records.append(instruction(toy, changed(base, *places)))
    toy.close()
    kept, gone = dedup(tmp_path, threshold=0.7, words=3)
    expected = set()
    for one, other in itertools.combinations(records, 2):
        a, b = (runs("\n".join(r.texts()), 3) for r in (one, other))
        if len(a & b) / len(a | b) >= 0.7:
            expected.add(frozenset((one.id, other.id)))
    assert {frozenset((name, keeper)) for name, (_, keeper) in gone.items()} == expected
    assert 5 < len(expected) < 20 and len(kept) + len(gone) == 40


def test_short_texts_are_compared_as_wholes_and_scopes_apart(tmp_path, build):
    toy = build()
    instruction(toy, "Is there a nodule?")
    instruction(toy, "Is there a node?")
    twice = instruction(toy, "Is there a nodule?", rank=70)
    instruction(toy, "Is there a nodule?", language="de")
    toy.close()
    assert dedup(tmp_path)[1].keys() == {twice.id}
    assert len(dedup(tmp_path, within=[])[1]) == 2


def test_without_the_comparison_candidates_go_as_they_are(tmp_path, build):
    toy = build()
    instruction(toy, text(1), rank=1)
    far = instruction(toy, changed(text(1), *range(0, 60, 6)))
    toy.close()
    assert dedup(tmp_path, threshold=0.5)[1] == {}
    assert far.id in dedup(tmp_path, threshold=0.2, words=5, verify=False)[1]
