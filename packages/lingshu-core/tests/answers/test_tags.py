"""Marks of commitment: thinking, answer tags, boxes, JSON; and the format that is rewarded."""

import pytest

from lingshu_core.answers import Format, final_answer, read_format

GOOD = [
    ("<think>a</think><answer>b</answer>", ("a", "b")),
    ("<think>a</think> \n\t<answer>b</answer>", ("a", "b")),
    ("<think>\na\nb\n</think>\n<answer>\nB\n</answer>", ("\na\nb\n", "\nB\n")),
    ("<think>WBC < 4, so x > y</think><answer>WBC < 4</answer>", ("WBC < 4, so x > y", "WBC < 4")),
    ("<think>a <b>c</b></think><answer><b>d</b></answer>", ("a <b>c</b>", "<b>d</b>")),
    ("<think>I am thinking; the answer is</think><answer>B</answer>",
     ("I am thinking; the answer is", "B")),
    ("<think>肺炎</think><answer>肺炎</answer>", ("肺炎", "肺炎")),
    (r"<think>1</think><answer>\boxed{B}</answer>", ("1", r"\boxed{B}")),
    ("<think><thinking></think><answer>B</answer>", ("<thinking>", "B")),
]  # fmt: skip
BAD = [
    "", "B", "<answer>b</answer>", "<think>a</think>", "<think>a</think>b", "a<answer>b</answer>",
    " <think>a</think><answer>b</answer>", "<think>a</think><answer>b</answer> ",
    "\n<think>a</think><answer>b</answer>", "<think>a</think><answer>b</answer>\n",
    "x<think>a</think><answer>b</answer>", "<think>a</think><answer>b</answer>x",
    "<think>a</think>x<answer>b</answer>", "<think>a</think>.<answer>b</answer>",
    "<think></think><answer>b</answer>", "<think>a</think><answer></answer>",
    "<think> \n</think><answer>b</answer>", "<think>a</think><answer>\t </answer>",
    "<think>a</think><think>b</think><answer>c</answer>",
    "<think>a</think><answer>b</answer><answer>c</answer>",
    "<think>a<answer>b</answer></think><answer>c</answer>",
    "<think>a</think><answer><answer>b</answer></answer>",
    "<think>a</think><answer>b<think>c</think></answer>",
    "<think><think>a</think></think><answer>b</answer>",
    "<think>a</think><answer>b</answer></answer>", "<think>a</think></think><answer>b</answer>",
    "<think>a</think><answer>b", "<think>a<answer>b</answer>", "think>a</think><answer>b</answer>",
    "<answer>b</answer><think>a</think>", "<THINK>a</THINK><ANSWER>b</ANSWER>",
    "<think>a</Think><answer>b</answer>", "<think>a</think><answer>b</ANSWER>",
    "<think>a</think><answer>b< /answer></answer>", "<think>a <answer> b</think><answer>c</answer>",
    "<think>a</think><answer>b</answer><think>a</think><answer>b</answer>",
    "<think >a</think><answer>b</answer>", "<think>a</think ><answer>b</answer>",
    "<think>a</think><answer>b < answer></answer>",
]  # fmt: skip


@pytest.mark.parametrize(("response", "parts"), GOOD)
def test_the_format_is_read(response, parts):
    assert read_format(response) == Format(*parts)


@pytest.mark.parametrize("response", BAD)
def test_nothing_else_is_the_format(response):
    assert read_format(response) is None


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("pneumonia", ("pneumonia", "whole")),
        ("**pneumonia**", ("pneumonia", "whole")),
        ("", ("", "empty")),
        (" \n", ("", "empty")),
        ("**", ("", "empty")),
        ("<think>a", ("", "unclosed_think")),
        ("<think>a</think>", ("", "empty")),
        ("<think>a</think>b", ("b", "whole")),
        ("a</think>b", ("b", "whole")),
        ("<think>a</think>b<think>c</think>d", ("b d", "whole")),
        ("<answer>b</answer>", ("b", "answer_tag")),
        ("<ANSWER> b </ANSWER>", ("b", "answer_tag")),
        ("<answer>b", ("b", "answer_tag")),
        ("b</answer>", ("b", "answer_tag")),
        ("<answer>a</answer> correction <answer>b</answer>", ("b", "answer_tag")),
        ("<answer></answer>", ("", "empty")),
        ("<think><answer>a</answer></think>b", ("b", "whole")),
        (r"so \boxed{b}.", ("b", "boxed")),
        (r"\boxed{\text{left \textbf{lung}}}", ("left lung", "boxed")),
        (r"\boxed{a} then \boxed{b}", ("b", "boxed")),
        (r"\boxed{a} or \boxed{b}", ("a or b", "boxed")),
        (r"\boxed{b", ("b", "boxed")),
        (r"\boxed{\frac{1}{2}}", ("1/2", "boxed")),
        (r"<answer>\boxed{b}</answer>", ("b", "boxed")),
        ("boxed warning", ("boxed warning", "whole")),
        (r"\boxed{} b", (r"\boxed{} b", "whole")),
        ('{"answer": "b"}', ("b", "json")),
        ('```json\n{"answer": "b", "why": "c"}\n```', ("b", "json")),
        ("{'answer': 'b'}", ("b", "json")),
        ('{"answer": ["a", "b"]}', ("a, b", "json")),
        ('{"answer": true}', ("yes", "json")),
        ('{"answer": 5.5}', ("5.5", "json")),
        ('{"answer": null}', ("", "empty")),
        ('{"answer": "b', ("b", "json")),
        ("The answer is b.", ("b", "phrase")),
        ("The answer should be left lung. It is opaque.", ("left lung", "phrase")),
        ("Final answer: 5.5 cm", ("5.5 cm", "phrase")),
        ("I would choose the left lung", ("the left lung", "phrase")),
        ("The answer is a. Wait, the answer is b.", ("b", "phrase")),
        (r"\boxed{a} Wait, actually the answer is b.", ("b", "phrase")),
        ("Pneumonia. The answer is based on the film.",
         ("Pneumonia. The answer is based on the film.", "whole")),
        ("The answer is not a.", ("The answer is not a.", "whole")),
        ("答案是肺炎。", ("肺炎", "phrase")),
        ("正确答案为：肺炎", ("肺炎", "phrase")),
        ("答案：左侧", ("左侧", "phrase")),
        ("## Answer\n\npneumonia\n\nbecause", ("pneumonia", "phrase")),
        ("Answer: E. coli", ("E. coli", "phrase")),
    ],
)  # fmt: skip
def test_the_committed_part_is_found(response, expected):
    assert final_answer(response) == expected


def test_a_deeply_nested_json_answer_is_no_error():
    assert final_answer('{"answer": ' + "[" * 5000)[1] in {"json", "empty", "whole"}
    assert final_answer('{"answer": ' + "[" * 400 + "]" * 400 + "}")[1] in {"json", "empty"}
