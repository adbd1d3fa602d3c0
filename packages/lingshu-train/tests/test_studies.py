"""What kinds of data and how much of it give: each study is one command, and it is drawn."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.panels import Bars, Lines, Table, read_stats
from lingshu_train import studies
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

Make = Callable[..., Stage]


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, make_stage: Make, write: Callable[..., Path]
) -> Stage:
    heldout = write(tmp_path_factory.mktemp("data") / "heldout", 10, start=500)
    return make_stage(
        heldout=str(heldout), evaluation={"generations": 1, "max_new_tokens": 2},
        packing={"mode": "step"},
    )  # fmt: skip


def test_an_ablation_runs_whole_and_without_each_kind(
    tmp_path: Path, stage: Stage, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    studies.ablate(stage, "t", ["medical-text"], tmp_path / "study", world)
    assert "holds no" not in capsys.readouterr().err
    stats = read_stats(tmp_path / "study")
    table = next(panel for panel in stats.panels if isinstance(panel, Table))
    assert [row[0] for row in table.rows] == ["whole", "without-medical-text"]
    assert [row[1] for row in table.rows] == [40, 32]  # every fifth is text alone
    assert stats.counts == {"whole": 40, "without-medical-text": 32}
    bars = next(panel for panel in stats.panels if isinstance(panel, Bars))
    assert bars.series and all(series.x == ("without-medical-text",) for series in bars.series)
    assert (tmp_path / "study/index.html").is_file()
    # Ten held-out samples, of seven kinds, two of them text alone.
    kinds = [column for column in table.columns if column.endswith(")")]
    assert sum(int(kind.split("(")[1][:-1]) for kind in kinds) == 10
    assert "instruction (2)" in kinds
    losses = next(panel for panel in stats.panels if panel.title == "Held-out loss by dataset")
    assert isinstance(losses, Table)
    assert losses.columns == ("dataset", "whole", "without-medical-text")
    whole, less = (dict(zip((r[0] for r in losses.rows), column, strict=True))
                   for column in list(zip(*losses.rows, strict=True))[1:])  # fmt: skip
    assert whole["text"] < less["text"]  # it was not learned there


def test_a_kind_that_the_mixture_does_not_hold_is_said(
    tmp_path: Path, stage: Stage, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    studies.ablate(stage, "t", ["general-text"], tmp_path / "study", world)
    assert "the mixture holds no general-text" in capsys.readouterr().err


def test_scaling_takes_growing_shares(tmp_path: Path, stage: Stage, world: World) -> None:
    studies.scale(stage, "t", [25, 50, 75, 100], tmp_path / "study", world)
    stats = read_stats(tmp_path / "study")
    counts = [stats.counts[f"share-{share:03}"] for share in (25, 50, 75, 100)]
    assert counts == sorted(set(counts)) and counts[-1] == 40
    lines = [panel for panel in stats.panels if isinstance(panel, Lines)]
    assert {line.title for line in lines} == {
        "Held-out samples answered word for word", "Held-out loss",
    }  # fmt: skip
    assert all(series.x == (25, 50, 75, 100) for line in lines for series in line.series)


def test_a_kind_that_nobody_knows_is_refused_before_anything_runs(
    tmp_path: Path, stage: Stage, world: World
) -> None:
    with pytest.raises(SettingsError, match="'medical-tex' is no kind of data"):
        studies.ablate(stage, "t", ["medical-tex"], tmp_path / "study", world)
    assert not (tmp_path / "study").exists()


def test_a_study_without_held_out_samples_is_refused(
    tmp_path: Path, make_stage: Make, world: World
) -> None:
    with pytest.raises(SettingsError, match="give --set heldout=MANIFEST"):
        studies.scale(make_stage(), "t", [50], tmp_path / "study", world)


def test_without_alignment_starts_from_the_base(
    tmp_path: Path, stage: Stage, base: Path, world: World
) -> None:
    run_stage(stage.model_copy(update={"stage": "deep"}), "t", tmp_path / "deep", world)
    tuned = stage.model_copy(update={"stage": "instruction", "parent": str(tmp_path / "deep")})
    assert studies._without(tuned, "alignment").parent == str(base)
