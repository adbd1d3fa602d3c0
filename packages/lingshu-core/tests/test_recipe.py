"""Recipes: TOML and overrides in, checked settings out."""

import datetime
import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import Recipe, check, find_recipe, load_recipe, nearest, shipped_recipes


class Optimizer(Recipe):
    lr: float = Field(default=1e-4, gt=0)
    name: str = "adamw"


class Training(Recipe):
    steps: int = 10
    out: str = "runs/a"
    layers: tuple[int, ...] = ()
    optim: Optimizer = Optimizer()
    limits: dict[str, int] = Field(default_factory=dict)


def refused(overrides=(), source=None):
    with pytest.raises(SettingsError) as caught:
        load_recipe(Training, source, overrides)
    return str(caught.value)


def test_defaults_file_and_overrides(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('steps = 20\n[optim]\nlr = 1e-5\nname = "sgd"\n')
    found = load_recipe(Training, path, ["optim.lr=2e-6", "out=runs/b", "layers=[1, 2]"])
    assert (found.steps, found.out, found.layers) == (20, "runs/b", (1, 2))
    assert found.optim == Optimizer(lr=2e-6, name="sgd")
    assert load_recipe(Training, None) == Training()


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("1e-6", 1e-6), ("3", 3), ("true", True), ('"3"', "3"), ("[1, 'a']", [1, "a"]),
        ("no", "no"), ("", ""), ("a=b", "a=b"), ("runs/a b", "runs/a b"), ("{a = 1}", {"a": 1}),
        ("2024-01-01", "2024-01-01"), ("07:30:00", "07:30:00"), ("1\nb = 2", "1\nb = 2"),
        ("1 # one", 1), ("'", "'"), ("\\", "\\"),
    ],
)  # fmt: skip
def test_a_value_is_toml_or_text(override, value):
    class Any(Recipe):
        key: object = None

    found = load_recipe(Any, None, [f"key={override}"]).key
    assert found == value and type(found) is type(value)


@given(st.text(max_size=20) | st.text("0123456789.e-+[]{}'\"=_ \n#", max_size=9))
def test_any_text_is_a_value(text):
    class Any(Recipe):
        key: object = None

    try:
        expected = tomllib.loads(f"key = {text}")
    except tomllib.TOMLDecodeError:
        expected = {"key": text}
    if len(expected) > 1 or isinstance(expected["key"], datetime.date | datetime.time):
        expected = {"key": text}
    # Their texts, since a nan does not equal itself.
    assert repr(load_recipe(Any, None, [f"key={text}"]).key) == repr(expected["key"])


@given(st.dictionaries(st.sampled_from(["steps", "layers", "limits"]), st.integers(1, 99)))
def test_overrides_do_what_the_file_does(values):
    words = [f"{key}={_toml(key, value)}" for key, value in values.items()]
    text = "\n".join(words)
    by_file = check(Training, tomllib.loads(text), where="file")
    assert load_recipe(Training, None, words) == by_file


def _toml(key, value):
    return {"layers": f"[{value}]", "limits": f"{{a = {value}}}"}.get(key, str(value))


def test_faults_name_the_key_and_the_nearest():
    assert "the key 'stepps' is unknown; did you mean 'steps'?" in refused(["stepps=3"])
    assert "the key 'optim.nam' is unknown; did you mean 'name'?" in refused(["optim.nam=3"])
    assert "optim.lr: Input should be greater than 0 (given: -1)" in refused(["optim.lr=-1"])
    assert "steps: Input should be a valid integer" in refused(["steps=many"])
    assert "finite" in refused(["optim.lr=nan"])
    both = refused(["stepps=3", "optim.lr=0"])
    assert "stepps" in both and "optim.lr" in both


def test_an_override_reaches_into_a_list(tmp_path):
    class Steps(Recipe):
        steps: tuple[dict[str, int], ...]
        names: tuple[str, ...] = ("a", "b")

    source = tmp_path / "steps.toml"
    source.write_text('names = ["a", "b"]\n[[steps]]\nx = 1\n[[steps]]\nx = 2\n')
    found = load_recipe(Steps, source, ["steps.1.x=5", "names.0=c"])
    assert found.steps == ({"x": 1}, {"x": 5}) and found.names == ("c", "b")
    for wrong in ("steps.2.x=5", "steps.x=5", "steps.-1.x=5", "names.2=d"):
        with pytest.raises(SettingsError, match="of a list of 2: they are counted from 0"):
            load_recipe(Steps, source, [wrong])


def test_words_that_are_no_override():
    assert "not of the form key=value" in refused(["steps"])
    assert "not of the form key=value" in refused(["=3"])
    assert "which is a value" in refused(["steps=3", "steps.a=3"])


def test_files_that_are_no_recipe(tmp_path):
    assert "cannot be read" in refused(source=tmp_path / "none.toml")
    assert "cannot be read" in refused(source=tmp_path)
    (tmp_path / "a.toml").write_bytes(b"\xff")
    assert "cannot be read" in refused(source=tmp_path / "a.toml")
    (tmp_path / "a.toml").write_text("steps = ")
    assert "is not TOML" in refused(source=tmp_path / "a.toml")


def test_a_missing_key():
    class Needs(Recipe):
        what: str

    with pytest.raises(SettingsError, match="the key 'what' is missing"):
        load_recipe(Needs, None)


def test_the_resolved_settings_are_written(tmp_path):
    found = load_recipe(Training, None, ["steps=3"])
    found.write(tmp_path / "settings.json")
    assert Training.model_validate(json.loads((tmp_path / "settings.json").read_text())) == found
    assert found.digest() == load_recipe(Training, None, ["steps = 3"]).digest()
    assert found.digest() != Training().digest()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that ships two recipes."""
    folder = tmp_path / "shipping_recipes"
    (folder / "recipes" / "big").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "recipes" / "small.toml").write_text("steps = 1")
    (folder / "recipes" / "big" / "deep.toml").write_text("steps = 2")
    (folder / "recipes" / "notes.md").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return "shipping_recipes"


def test_shipped_recipes_have_names(package):
    assert shipped_recipes(package) == ["big/deep", "small"]
    assert load_recipe(Training, find_recipe(package, "big/deep")).steps == 2
    with pytest.raises(SettingsError, match="did you mean 'small'"):
        find_recipe(package, "smal")
    with pytest.raises(SettingsError, match=r"no recipe '\.\./small'"):
        find_recipe(package, "../small")


def test_a_recipe_of_the_user(package, tmp_path):
    (tmp_path / "mine.toml").write_text("steps = 3")
    assert load_recipe(Training, find_recipe(package, str(tmp_path / "mine.toml"))).steps == 3
    with pytest.raises(SettingsError, match="no such recipe file"):
        find_recipe(package, "none.toml")


def test_the_nearest_name():
    assert nearest("qestion", ["question", "caption"]) == "; did you mean 'question'?"
    assert nearest("zzz", ["b", "a"]) == "; known are: a, b"
    assert nearest("zzz", []) == ""
