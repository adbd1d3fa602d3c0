"""A stage from beginning to end, as a list of steps."""

import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.checkpoint import (
    STATE_NAME,
    Checkpoint,
    describe,
    is_checkpoint,
    read_checkpoint,
)
from lingshu_core.console import say
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest, Parent
from lingshu_core.page import publish
from lingshu_core.recipe import SETTINGS_NAME
from lingshu_train import flops, groups, kinds, state
from lingshu_train.attention import resolve
from lingshu_train.checkpoints import (
    move_into_place,
    on_host,
    producer,
    versions,
    write_checkpoint,
)
from lingshu_train.collate import Collator, Row
from lingshu_train.dealing import deal
from lingshu_train.device import peak_flops
from lingshu_train.engine import ENGINES, Engine
from lingshu_train.heldout import Heldout
from lingshu_train.lengths import Lengths, lengths_of
from lingshu_train.loader import Mixture, Rows
from lingshu_train.loop import Run, train
from lingshu_train.lora import adapt
from lingshu_train.metrics import Journal, read_notes
from lingshu_train.model import dtype_of, prepare, read_config
from lingshu_train.page import run_stats
from lingshu_train.parents import local_folder, parent_of
from lingshu_train.plan import Layout, Plan, make_plan
from lingshu_train.samples import Codec
from lingshu_train.settings import Stage
from lingshu_train.tracker import TRACKERS
from lingshu_train.world import World


@dataclass(frozen=True)
class Sources:
    """What a stage starts from."""

    stage: Stage
    recipe: str
    out: Path
    parent: Path
    processor: Any
    mixture: Mixture
    parents: tuple[Parent, ...]


def run_stage(stage: Stage, recipe: str, out: Path, world: World) -> None:
    """Runs a stage, or goes on with it, and leaves a checkpoint.

    Raises:
        SettingsError: The settings are wrong, or `out` was begun with others.
        DataError: Inputs are broken, or the loss says so.
        Stopped: A signal asked for it; the same command goes on.
    """
    sources = open_sources(stage, recipe, out, world)
    if _finished(sources):
        say(f"{out}: nothing to do, the stage is finished")
        return
    _begin(sources, world)
    run = assemble(sources, world)
    with run.journal or nullcontext():
        train(run)
    _finish(sources, run)


def open_sources(stage: Stage, recipe: str, out: Path, world: World) -> Sources:
    """Opens parent and mixture, and measures the mixture where nobody has yet."""
    stage.require_paths()
    parent = local_folder(stage.parent)
    processor = load_processor(parent)
    bound_pictures(processor, stage)
    manifest = Manifest(stage.mixture)
    parents = (parent_of(parent), manifest.parent())
    mixture = open_mixture(manifest, processor, stage, world)
    return Sources(stage, recipe, out, parent, processor, mixture, parents)


def load_processor(folder: Path) -> Any:
    """Returns a checkpoint's tokenizer and picture processor; DataError where they are broken."""
    from transformers import AutoProcessor

    load: Any = AutoProcessor.from_pretrained
    try:
        return load(folder)
    except (OSError, ValueError) as error:
        raise DataError(f"its processor cannot be loaded ({error})", path=folder) from None


def bound_pictures(processor: Any, stage: Stage) -> None:
    """Writes the recipe's bounds on pictures into the processor, for it to be saved with them.

    Raises:
        SettingsError: The recipe's one bound does not go with the other, which is the parent's.
    """
    size = processor.image_processor.size
    if stage.pictures.min_pixels:
        size["shortest_edge"] = stage.pictures.min_pixels
    if stage.pictures.max_pixels:
        size["longest_edge"] = stage.pictures.max_pixels
    least, most = size["shortest_edge"], size["longest_edge"]
    if least > most:
        raise SettingsError(
            f"pictures of at least {least:,} pixels and at most {most:,}: the parent's processor "
            "has the other bound, so give both, pictures.min_pixels and pictures.max_pixels"
        )


def open_mixture(manifest: Manifest, processor: Any, stage: Stage, world: World) -> Mixture:
    """Returns a manifest with its lengths; the first rank measures and the others wait."""
    codec = Codec(
        processor,
        max_length=stage.sequence.max_length,
        shorten=stage.sequence.too_long == "shorten",
    )
    if not world.first:
        world.barrier()
    lengths = lengths_of(manifest, codec, workers=stage.data.workers)
    if world.first:
        world.barrier()
    return Mixture(manifest, lengths, codec)


def assemble(sources: Sources, world: World) -> Run:
    """Puts together what the loop works with, from the newest checkpoint where there is one."""
    stage, mixture = sources.stage, sources.mixture
    plan = fix_plan(sources, world)
    engine = build_engine(stage, sources.parent, world)
    config = engine.supervised.model.config
    resumed = state.newest(sources.out / STATE_NAME)
    parent = sources.parents[0].digest
    progress = state.Progress(plan=plan.digest(), parent=parent, settings=stage.deciding())
    if resumed:
        path, progress = resumed
        _same_start(progress, plan, parent)
        state.restore(path, progress, engine)
        say(f"going on after step {progress.step} of {len(plan)}")
    rows = Rows(mixture, collator(mixture.codec, config))
    journal = _journal(sources, progress, plan) if world.first else None
    return Run(
        stage=stage,
        world=world,
        out=sources.out,
        mixture=mixture,
        rows=rows,
        plan=plan,
        engine=engine,
        work=flops.work(config, stage.rates.trained()),
        peak=peak_flops(world.device, stage.dtype),
        heldout=_heldout(sources, config, world),
        journal=journal,
        progress=progress,
    )


def fix_plan(sources: Sources, world: World) -> Plan:
    """Returns the plan of the stage: as it was written down, or made now and written down.

    Raises:
        SettingsError: Mixture, tokenizer or settings are not those of the plan.
    """
    path = sources.out / STATE_NAME / state.PLAN_NAME
    known = Plan.load(path) if path.is_file() else None
    size = known.sources["batch"] if known else sources.stage.batch.size(world.size)
    assert isinstance(size, int)
    plan = plan_of(sources.mixture, sources.stage, size)
    if known and known.digest() != plan.digest():
        raise SettingsError(
            f"{path}: the plan of this run is another one: the mixture, the tokenizer or what "
            "decides the order was changed; undo that, or name another --out"
        )
    world.barrier()
    if world.first and not known:
        plan.save(path)
    world.barrier()
    return plan


def plan_of(mixture: Mixture, stage: Stage, size: int) -> Plan:
    """Returns the plan of a stage with a number of units a step."""
    lengths = mixture.lengths
    layout = Layout(
        mode=stage.packing.mode,
        size=size,
        epochs=stage.epochs,
        seed=stage.seed,
        capacity=stage.sequence.max_length,
        window=stage.packing.window,
    )
    sources: dict[str, object] = {
        "manifest": mixture.manifest.digest(),
        "codec": mixture.codec.identity(),
        "batch": size,
        "epochs": stage.epochs,
        "seed": stage.seed,
        "window": stage.packing.window,
        "share": stage.data.share,
        "without": list(stage.data.without),
    }
    return make_plan(lengths.tokens, chosen(lengths, stage), layout=layout, sources=sources)


def chosen(lengths: Lengths, stage: Stage) -> Any:
    """Returns the numbers of the samples that the recipe learns from."""
    stays = kinds.left(lengths.traits, stage.data.without)
    if stage.data.share < 1:
        stays &= lengths.draw < stage.data.share * 2**32
    return lengths.chosen(stays)


def rows_of_step(sources: Sources, world: World, step: int) -> list[Row]:
    """Returns the rows of a step as one device would get them.

    Args:
        sources: Parent and mixture.
        world: The ranks.
        step: From 1.

    Raises:
        SettingsError: There is no such step.
    """
    stage, mixture = sources.stage, sources.mixture
    plan = plan_of(mixture, stage, stage.batch.size(world.size))
    if step > len(plan):
        raise SettingsError(f"there is no step {step}: the stage has {len(plan)}")
    config = read_config(sources.parent)
    lengths = mixture.lengths
    (hand,) = deal(
        plan.step(step - 1),
        mode=plan.mode,
        lengths=lengths.tokens,
        costs=flops.work(config, stage.rates.trained()).of(
            lengths.tokens, lengths.supervised, lengths.patches
        ),
        capacity=stage.sequence.max_length,
        ranks=1,
    )
    rows = Rows(mixture, collator(mixture.codec, config))
    return [rows[numbers] for numbers in hand]


def build_engine(stage: Stage, parent: Path, world: World) -> Engine:
    """Loads the parent and hands it to the engine, frozen where the recipe says so."""
    kind = ENGINES.get(stage.engine.kind)
    model = kind.load(parent, stage, world)
    if stage.lora:
        adapt(model, stage.lora, seed=stage.seed)
    groups.freeze(model, stage.rates.trained())
    groups.audit(model)
    supervised = prepare(
        model,
        implementation=resolve(stage.attention, world.device.type),
        checkpointing=stage.engine.checkpointing,
    )
    return kind.build(supervised, stage, world)


def collator(codec: Codec, config: Any) -> Collator:
    """Returns what puts samples into rows for a model."""
    vision = config.vision_config
    return Collator(
        dummy=codec.encoder.dummy(),
        patch=vision.patch_size,
        merge=vision.spatial_merge_size,
        temporal=vision.temporal_patch_size,
        window=vision.window_size,
    )


def _finished(sources: Sources) -> bool:
    if not is_checkpoint(sources.out):
        return False
    found = read_checkpoint(sources.out)
    same_parents = [p.digest for p in found.parents] == [p.digest for p in sources.parents]
    if found.producer.settings != sources.stage.digest() or not same_parents:
        what = "other inputs" if not same_parents else "other settings"
        raise SettingsError(f"{sources.out} was made with {what}: remove it, or name another --out")
    return True


def _begin(sources: Sources, world: World) -> None:
    """Writes the settings down, or compares them with those that the run was begun with."""
    out, stage = sources.out, sources.stage
    path = out / SETTINGS_NAME
    if path.is_file():
        before = Stage.model_validate_json(path.read_bytes()).deciding()
        odd = [name for name, value in stage.deciding().items() if before.get(name) != value]
        if odd:
            raise SettingsError(
                f"{out} was begun with another {' and '.join(map(repr, odd))}: give the settings "
                f"of {path}, or name another --out"
            )
    elif out.exists() and (not out.is_dir() or any(map(_foreign, out.iterdir()))):
        raise SettingsError(f"{out} exists already and is no run: name another --out")
    world.barrier()
    if world.first:
        stage.write(path)
    world.barrier()


def _foreign(path: Path) -> bool:
    """Says whether a file is something else than what a kill left of settings half written."""
    return not path.match(f".{SETTINGS_NAME}.*.tmp")


def _same_start(progress: state.Progress, plan: Plan, parent: str) -> None:
    if progress.plan != plan.digest():
        raise SettingsError(
            "the checkpoint belongs to another plan: the mixture, the tokenizer or what decides "
            "the order was changed; undo that, or name another --out"
        )
    if progress.parent != parent:
        raise SettingsError(
            "the checkpoint was made from another parent: undo that, or name another --out"
        )


def _journal(sources: Sources, progress: state.Progress, plan: Plan) -> Journal:
    stage, out = sources.stage, sources.out
    trackers = [TRACKERS.get(name).open(out, stage) for name in stage.trackers]
    return Journal(out, done=progress.step, steps=len(plan), trackers=trackers)


def _heldout(sources: Sources, config: Any, world: World) -> Heldout | None:
    stage = sources.stage
    if stage.heldout is None:
        return None
    mixture = open_mixture(Manifest(stage.heldout), sources.processor, stage, world)
    return Heldout(
        Rows(mixture, collator(mixture.codec, config)),
        sources.processor,
        settings=stage.evaluation,
        world=world,
        out=sources.out,
    )


def _finish(sources: Sources, run: Run) -> None:
    """Writes the checkpoint to the side, then the page, then the checkpoint into its place."""
    weights = on_host(run.engine.weights(), run.stage.lora)
    if run.world.first:
        side = run.out / STATE_NAME / ".finished"
        shutil.rmtree(side, ignore_errors=True)
        side.mkdir(parents=True)
        write_checkpoint(side, sources.parent, sources.processor, weights, dtype_of(run.stage))
        describe(side, _description(sources, run))
        publish(run.out, run_stats(run, sources.recipe))
        move_into_place(side, run.out)
        say(f"{run.out}: {run.stage.stage} checkpoint after {len(run.plan)} steps")
    run.world.barrier()


def _description(sources: Sources, run: Run) -> Checkpoint:
    steps, looks = read_notes(run.out)
    last = steps[-max(1, len(steps) // 20) :]
    metrics = {"loss": sum(note.loss for note in last) / len(last)}
    if looks:
        metrics["heldout_loss"] = looks[-1].loss
    return Checkpoint(
        stage=run.stage.stage,
        recipe=sources.recipe,
        producer=producer(run.stage, f"run {sources.recipe}"),
        parents=sources.parents,
        steps=run.progress.step,
        samples=run.progress.samples,
        metrics=metrics,
        versions=versions(),
    )
