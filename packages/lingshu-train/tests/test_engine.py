"""What the engines do with bfloat16, and the norm that a GPU computes in one kernel."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from lingshu_core.manifest import Manifest
from lingshu_train.engines.torch import TorchEngine
from lingshu_train.groups import freeze
from lingshu_train.loader import Rows
from lingshu_train.model import load_model, prepare
from lingshu_train.runner import collator, load_processor, open_mixture
from lingshu_train.settings import Stage
from lingshu_train.world import World

CPU = torch.device("cpu")


def test_gradients_of_bfloat16_are_added_up_in_float32_and_not_kept_twice(
    make_stage: Callable[..., Stage], base: Path, mixture: Path, world: World
) -> None:
    stage = make_stage(dtype="bfloat16")
    opened = open_mixture(Manifest(mixture), load_processor(base), stage, world)
    model = load_model(base, dtype=torch.bfloat16, device=CPU)
    freeze(model, stage.rates.trained())
    supervised = prepare(model, implementation="varlen", checkpointing=True)
    rows = Rows(opened, collator(opened.codec, model.config))
    parameters = [p for p in supervised.parameters() if p.requires_grad]
    expected: list[torch.Tensor] = [torch.zeros_like(p, dtype=torch.float32) for p in parameters]
    for numbers in ((0, 4), (6, 7)):
        found = torch.autograd.grad(supervised(rows[numbers])[0].sum(), parameters)
        expected = [total + part.float() for total, part in zip(expected, found, strict=True)]
    engine = TorchEngine(supervised, stage, world)
    for numbers in ((0, 4), (6, 7)):
        engine.backward(engine.losses(rows[numbers]).sum(), last=numbers == (6, 7))
    assert all(parameter.grad is None for parameter in parameters)
    masters = [engine._masters[parameter] for parameter in parameters]
    for master, total in zip(masters, expected, strict=True):
        assert master.grad is not None and master.grad.dtype == torch.float32
        assert torch.equal(master.grad, total)


def test_the_norm_of_one_kernel_is_that_of_transformers(base: Path) -> None:
    model = load_model(base, dtype=torch.float32, device=CPU)
    theirs = model.model.language_model.norm
    torch.manual_seed(0)
    states = torch.randn(50, theirs.weight.shape[0], requires_grad=True)
    expected = theirs(states)
    found = F.rms_norm(states, theirs.weight.shape, theirs.weight, theirs.variance_epsilon)
    assert torch.allclose(found, expected, atol=1e-6)
    weight = torch.randn_like(found)
    one, other = (torch.autograd.grad((out * weight).sum(), states)[0] for out in (found, expected))
    assert torch.allclose(one, other, atol=1e-5)
    prepare(model, implementation="varlen", checkpointing=False)
    assert model.model.language_model.norm is theirs
    assert torch.equal(theirs(states), found)


def test_patches_are_embedded_by_one_product_as_transformers_convolution_has_it(
    base: Path,
) -> None:
    model = load_model(base, dtype=torch.float32, device=CPU)
    embed = model.model.visual.patch_embed
    patches = torch.randn(12, embed.proj.weight[0].numel())
    names = set(dict(model.named_parameters()))
    outs = {}
    for who in ("theirs", "ours"):
        if who == "ours":
            prepare(model, implementation="varlen", checkpointing=False)
        out = embed(patches)
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        outs[who] = out.detach(), embed.proj.weight.grad
        embed.proj.weight.grad = None
    assert set(dict(model.named_parameters())) == names
    for one, other in zip(outs["theirs"], outs["ours"], strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["input_layernorm", "norm1"])
def test_every_norm_of_both_encoders_takes_that_kernel(base: Path, name: str) -> None:
    model = load_model(base, dtype=torch.float32, device=CPU)
    prepare(model, implementation="varlen", checkpointing=False)
    kinds = {type(m).__name__ for n, m in model.named_modules() if n.endswith(name)}
    assert kinds == {"FusedQwen2_5_VLRMSNorm"}
