"""Words of a response that declines to answer, or that does not make up its mind."""

import re

_REFUSAL = re.compile(
    r"\b(?:i'?m|i am|we are|we're) (?:sorry|afraid|unable|not able)\b|\bapologi[sz]e\b"
    r"|\bas an? (?:ai|artificial|large language|language) ?(?:model|intelligence|assistant)?\b"
    r"|\b(?:can(?:no|')?t|can not|could(?:n't| not)|unable to|not able to|impossible to"
    r"|not possible to|hard to|difficult to|no way to)\s+(?:\w+\s+)?(?:help|assist|determin"
    r"|diagnos|answer|provid|identif|tell|say|see (?:the|an|any|this|your) (?:image|picture|attach"
    r"|scan|photo)|view|interpret|comply|conclude|give|analy[sz]|access|be (?:determin|answer"
    r"|establish|assess|seen from|sure|certain)|assess|evaluate|make|read|judge|discern|know|rule)"
    r"|\b(?:do(?:n't| not)|did(?:n't| not)) (?:know|have (?:enough|access|sufficient|the (?:image"
    r"|ability)))|\bno idea\b|\b(?:insufficient|not enough|inadequate|no) (?:information|data"
    r"|evidence to|context)|\bnot (?:provided|sufficient|applicable|answerable|determinable"
    r"|assessable)\b|\bn/a\b|\b(?:please )?consult (?:a|your|with)\b|\bno (?:answer|comment)\b"
    r"|\bi (?:decline|refuse)\b|\b(?:image|picture|photo) (?:is|was) (?:not|missing|unavailable)\b"
    r"|抱歉|对不起|无法|不能(?:够)?(?:判断|确定|回答|提供|诊断|看到|得出|给出|确认)|不知道|不清楚"
    r"|难以(?:判断|确定|回答|辨别)|没有足够|信息不足|作为(?:一个|一名)?(?:AI|人工智能|语言模型)"
    r"|看不到图|未提供",
    re.I,
)
_HEDGE = re.compile(
    r"\b(?:may|might|could)\s+(?:be|have|well|represent|also|or)\b|\b(?:maybe|perhaps|possibl[ey]"
    r"|unclear|uncertain|undetermined|indeterminate|inconclusive|equivocal|unknown|unsure"
    r"|ambiguous|undecided|questionable|debatable)\b|\bnot (?:sure|certain|clear|known|necessarily"
    r"|determined|evaluable)\b|\b(?:it|that) depends\b|\bdepend(?:s|ing) on\b|\bwho knows\b"
    r"|\bcan(?:'t|not) be sure\b|(?<![最很极较更])可能|也许|或许|不确定|不一定|说不准|不好说"
    r"|看情况|存疑|待定|未知|不明确?",
    re.I,
)


def refused(text: str) -> str:
    """Returns `refusal` or `hedged` for a plain text that says so, else an empty string."""
    if _REFUSAL.search(text):
        return "refusal"
    return "hedged" if _HEDGE.search(text) else ""
