"""Response text without its dressing: mark-up, LaTeX, special tokens, full-width characters."""

import re
import unicodedata

_INVISIBLE = dict.fromkeys([0xAD, 0x2060, 0xFEFF, *range(0x200B, 0x2010), *range(0xFE00, 0xFE10)])
_LETTERED = {base + i: chr(ord("A") + i) for base in (0x1F150, 0x1F170, 0x1F1E6) for i in range(26)}
_PUNCTUATION = {
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"), "-"),
    **dict.fromkeys(map(ord, "“”„‟«»″"), '"'),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4"), "'"),
    **dict.fromkeys(map(ord, "→⇒➜➔⟹"), ":"),
    **dict.fromkeys(map(ord, "✅✓✔☑•●▪◦·"), " "),
    ord("∴"): ":",
    0xB5: "\u03bc",
    0x2044: "/",
}
_CHARACTERS = {**_INVISIBLE, **_LETTERED, **_PUNCTUATION}

_EXPANDING = {0xFDFA: " ", 0xFDFB: " "} | {
    ord(sign): f" {text}"
    for sign, text in zip("½⅓⅔¼¾⅕⅛", ["1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8"], strict=True)
}
_SUPERSCRIPT = re.compile(r"(?<=10)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_RAISED_POINT = re.compile(r"(?<=[0-9])·(?=[0-9])")
_SPECIAL_TOKEN = re.compile(r"<\|[^|<>]{1,40}\|>|</?s>|\[/?INST\]")
_BLOCK_TAG = re.compile(r"<(?:br|/?p|/?div|/?li|/?h[1-6]|/?tr)\b[^<>]{0,200}>", re.I)
_INLINE_TAG = re.compile(
    r"</?(?:b|i|u|strong|em|span|code|center|font|sup|sub|mark|pre|ul|ol|td|th|table)"
    r"(?:\s[^<>]{0,200})?>",
    re.I,
)
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~|<(s|del|strike)>[^<\n]{1,200}</\1>", re.I)
_LATEX_WRAP = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|bf|sf|it|tt|bb|cal)|boldsymbol|bm|operatorname"
    r"|mbox|hbox|fbox|underline|emph|ensuremath|displaystyle)\s*\{([^{}]*)\}"
)
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]{1,20})\}\s*\{([^{}]{1,20})\}")
_LATEX_WORD = {
    "times": "\u00d7", "cdot": "\u00d7", "pm": "±", "mu": "μ", "circ": "°", "degree": "°",
    "approx": " ", "sim": "~", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "rightarrow": ":",
    "Rightarrow": ":", "to": ":", "quad": " ", "qquad": " ", "alpha": "\u03b1", "beta": "β",
    "gamma": "\u03b3", "left": "", "right": "", "displaystyle": "", "bf": "", "rm": "",
    "bullet": " ",
}  # fmt: skip
_LATEX_COMMAND = re.compile(r"\\(" + "|".join(sorted(_LATEX_WORD, key=len, reverse=True)) + r")\b")
_LATEX_SIGN = re.compile(r"\\([%$#&_{}])")
_LATEX_SPACE = re.compile(r"\\[()\[\],;:! ]|\\\\")
_MARKDOWN = dict.fromkeys(map(ord, '*`$"'))
_LINE_MARK = re.compile(r"^[ \t]*(?:(?:#{1,6}(?=\s)|>+(?![ \t]*[0-9.]))[ \t]*|-{3,}[ \t]*$)", re.M)
_LONE_QUOTE = re.compile(r"(?<![A-Za-z0-9])'|'(?![A-Za-z0-9])")
_CUT = re.compile(
    r"^[ \t]*(?:Question|Q|Human|User|Problem|问题|题目|用户)[ \t]*\d{0,4}[ \t]*:", re.I | re.M
)
_BLANKS = re.compile(r"[ \t]{2,}")
_ORDINARY = re.compile(r"[A-Za-z0-9 ,.():;/?!=+&%\n-]*")
"""Signs that dress nothing, but for three dashes; most answers have no others."""


def unify(text: str) -> str:
    """Returns the text in NFKC with one kind of dash and quote and no invisible characters.

    Emoji letters become letters. Line breaks are line feeds.
    """
    if text.isascii():
        return text.replace("\r\n", "\n").replace("\r", "\n")
    text = _SUPERSCRIPT.sub(r"^\g<0>", text.translate(_EXPANDING))
    text = _RAISED_POINT.sub(".", unicodedata.normalize("NFKC", text)).translate(_CHARACTERS)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lowered(text: str) -> str:
    """Returns the text in lower case, each character in its own place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)


def unlatex(text: str) -> str:
    r"""Returns the text with LaTeX wrappers (`\text{B}`) opened and commands as characters."""
    if "\\" not in text:
        return text
    for _ in range(3):
        text, opened = _LATEX_WRAP.subn(r"\1", text)
        if not opened:
            break
    text = _LATEX_FRACTION.sub(r"\1/\2", text)
    text = _LATEX_SIGN.sub(r"\1", text)
    text = _LATEX_COMMAND.sub(lambda found: _LATEX_WORD[found[1]], text)
    return _LATEX_SPACE.sub(" ", text)


def is_ordinary(text: str) -> bool:
    """Tells a text that holds nothing to take off but blanks and lines of dashes."""
    return _ORDINARY.fullmatch(text) is not None


def plain(text: str) -> str:
    """Returns the text as a reader sees it: no Markdown, HTML, LaTeX or special tokens.

    What is struck through is gone, and so is a next question that the model went on to write.
    Line breaks stay.
    """
    if "---" in text or not is_ordinary(text):
        text = _undressed(text)
    if "  " in text or "\t" in text:
        text = _BLANKS.sub(" ", text)
    text = text.strip()
    cut = _CUT.search(text, 1) if "\n" in text else None
    return text[: cut.start()].rstrip() if cut else text


def _undressed(text: str) -> str:
    text = unlatex(unify(text))
    if "<" in text or "[" in text:
        text = _SPECIAL_TOKEN.sub(" ", text)
        text = _STRUCK.sub(" ", text)
        text = _BLOCK_TAG.sub("\n", text)
        text = _INLINE_TAG.sub("", text.replace("10<sup>", "10^"))
    elif "~~" in text:
        text = _STRUCK.sub(" ", text)
    text = text.translate(_MARKDOWN).replace("__", "")
    if "#" in text or ">" in text or "---" in text:
        text = _LINE_MARK.sub("", text)
    if "'" in text:
        text = _LONE_QUOTE.sub("", text)
    return text
