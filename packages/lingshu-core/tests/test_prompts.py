"""Prompts: resources with strict placeholders."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core.errors import SettingsError
from lingshu_core.prompts import Prompt, load_prompt, shipped_prompts


def test_a_shipped_prompt():
    prompt = load_prompt("lingshu_core", "choice")
    assert prompt.fields == {"question", "options"}
    assert prompt.sha256 == hashlib.sha256(prompt.text.encode()).hexdigest()
    assert "Question: Q" in prompt.render(question="Q", options="A. a")


@pytest.mark.parametrize("name", shipped_prompts("lingshu_core"))
def test_every_shipped_prompt_can_be_filled_in(name):
    prompt = load_prompt("lingshu_core", name)
    shown = prompt.render(**{field: f"<{field}>" for field in prompt.fields})
    assert all(f"<{field}>" in shown for field in prompt.fields) and "$" not in shown


@given(st.text())
def test_a_value_is_put_in_as_it_is(value):
    assert Prompt("a", "x ${q} y").render(q=value) == f"x {value} y"


def test_fields_are_strict():
    prompt = Prompt("a", "${one} ${two}")
    with pytest.raises(KeyError, match="two"):
        prompt.render(one="1")
    with pytest.raises(KeyError, match="three"):
        prompt.render(one="1", two="2", three="3")


def test_an_unknown_name():
    with pytest.raises(SettingsError, match="did you mean 'choice'"):
        load_prompt("lingshu_core", "choise")
    with pytest.raises(SettingsError, match="no prompt"):
        load_prompt("lingshu_core", "../records")


def test_the_user_s_own(tmp_path):
    assert load_prompt("lingshu_core", "open", folder=tmp_path) == load_prompt(
        "lingshu_core", "open"
    )
    (tmp_path / "open.md").write_text("Say: ${question} for $$5\n")
    own = load_prompt("lingshu_core", "open", folder=tmp_path)
    assert own.render(question="Why?") == "Say: Why? for $5"
    (tmp_path / "choice.md").write_text("Pick one:\n${options}")
    fewer = load_prompt("lingshu_core", "choice", folder=tmp_path)
    assert fewer.render(question="Why?", options="A. a") == "Pick one:\nA. a"
    with pytest.raises(KeyError, match="colour"):
        fewer.render(question="Why?", options="A. a", colour="red")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"${questoin}", r"\['questoin'\] are unknown; known: \['question'\]"),
        (b"costs 5 $ ${question}", "write `\\$\\$`"),
        (b"\xff", "cannot be read"),
    ],
)
def test_an_own_prompt_that_cannot_work(tmp_path, text, message):
    (tmp_path / "open.md").write_bytes(text)
    with pytest.raises(SettingsError, match=message):
        load_prompt("lingshu_core", "open", folder=tmp_path)
