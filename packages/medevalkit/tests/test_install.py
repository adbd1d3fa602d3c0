"""What an install without extras brings along."""

from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

MOST = 40
HEAVY = {"torch", "torchvision", "transformers", "vllm", "ray", "datasets", "pandas", "openai"}


def brought(name, extra=""):
    """Returns the distribution and all that it needs here, with one of its own extras or none."""
    found = {}
    left = [(name, extra)]
    while left:
        place = left.pop()
        if place in found:
            continue
        found[place] = canonicalize_name(place[0])
        for line in requires(place[0]) or ():
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": place[1]}):
                left += [(need.name, wanted) for wanted in ("", *need.extras)]
    return set(found.values())


def test_the_base_install_stays_light():
    base = brought("lingshu-medevalkit")
    assert {"lingshu-core", "numpy", "pydantic", "typer"} <= base
    assert len(base) <= MOST, sorted(base)
    assert not base & HEAVY


def test_what_an_extra_brings_is_counted_only_with_it():
    lines = [Requirement(line) for line in requires("lingshu-medevalkit") or ()]
    torch = [need for need in lines if need.name == "torch"]
    assert torch and all(need.marker is not None for need in torch)
    assert [need.marker.evaluate({"extra": "hf"}) for need in torch].count(True) == 1
