"""Yes and no, read by word and never by substring, in English and Chinese."""

import re

from lingshu_core.answers.cleaning import plain, unify
from lingshu_core.answers.cues import final_answer
from lingshu_core.answers.doubts import doubted_word
from lingshu_core.answers.refusals import refused
from lingshu_core.answers.results import Check, Parsed
from lingshu_core.answers.tags import marked
from lingshu_core.answers.vocabulary import entry, word_set
from lingshu_core.golds import YesNoGold

_YES_GOLDS = word_set("yes_no", "yes")
_NO_GOLDS = word_set("yes_no", "no") | frozenset(entry("yes_no", "no_phrases"))

_NO_DOUBT = re.compile(
    r"\b(?:there(?: is|'s) )?(?:no|without(?: an?y?)?|beyond(?: any)?) (?:doubt"
    r"|question)s?(?: (?:that|about it))?\b|毫无疑问|无疑",
    re.I,
)
_FILLER = (
    r"(?:(?:i(?:'d| would) (?:say|answer)|i (?:think|believe|guess)|it is|it's|probably"
    r"|most likely|likely|clearly|obviously|well|oh|ok|so|therefore|thus|hence|overall|indeed"
    r"|in conclusion|answer|the answer is|short answer|actually|a|definite|definitive|that(?: is"
    r"|'s)|this is|yes/no)[\s,:.-]{1,3}){0,4}"
)
_SEEN = (
    r"(?:seen|visible|visuali[sz]ed|present|identified|detected|observed|noted|found|evident"
    r"|apparent|appreciated|demonstrated|shown|recogni[sz]ed|there)"
)
_CLOSED = r"(?=\s*(?:[.,;:!)(\n-]|$))"
_YES = re.compile(
    rf"{_FILLER}(?:(?:yes|yeah|yep|yup|affirmative)\b"
    rf"|(?:y|true|correct|indeed|certainly|definitely|absolutely|of course|sure|exactly|it (?:is"
    rf"|does|has)"
    rf"|they (?:are|do|have)|there (?:is|are)|i (?:think|believe) so){_CLOSED}"
    rf"|(?:positive|true)\b(?=\s+(?:for|in|on|that|as|because|since)\b)|positive{_CLOSED}"
    rf"|(?:{_SEEN})\b(?!\s+(?:study|image|illness|history|case|not|nor|no)\b)(?<!there)"
    r"|(?:presence|evidence|signs?) of\b)",
    re.I,
)
_NO = re.compile(
    rf"{_FILLER}(?:(?:nope|nah)\b|(?:n|false|incorrect|none|never|untrue|wrong|negative|absent"
    rf"|it (?:is|does|has)(?: not|n't)|they (?:are|do|have)(?: not|n't)|there (?:is|are)(?: not"
    rf"|n't)){_CLOSED}"
    r"|(?:certainly|definitely|absolutely|of course|probably|apparently|likely|most likely"
    r"|clearly)\s+not\b|i (?:do not|don't) (?:think|believe) (?:so|there)\b|(?:negative for"
    r"|absent (?:in|on|from)|false(?= (?:as|because|since))|none (?:seen|visible|present"
    r"|identified|detected|noted|of (?:the )?(?:these )?(?:are|is)))\b|(?:absence|lack) of\b"
    r"|free (?:of|from)\b|(?:undetected|undetectable|invisible)\b|no\b(?! (?:idea|way|answer"
    r"|comment|information|data|clue|image|picture|means|certain|clear|definite answer|one)\b)"
    r"|not\b(?! (?:sure|certain|clear|known|necessarily|enough|possible|applicable|provided|normal"
    r"|abnormal|only|determin|able|assess|evaluat|all|exactly|absent|negative|false|a\b|an\b"
    r"|[a-h]\b|no\b|unlikely|specified|available|given|sufficient|quite|this|that|the\b)))",
    re.I,
)
_BOTH = re.compile(
    r"\b(?:yes|true|present|positive)\b\W{0,3}(?:/|,|\||&|\band\b|\bor\b|\W)\W{0,3}(?:(?:and"
    r"|or)\s)?\W{0,2}\b(?:no|not|false|absent|negative)\b(?=\W*$|\W*[.;!?\n]|\W+(?:both|question"
    r"|at the same|answer))|\b(?:no|false|absent|negative)\b\W{0,3}(?:/|,|\||&|\band\b|\bor\b"
    r"|\W)\W{0,3}(?:(?:and|or)\s)?\W{0,2}\b(?:yes|true|present|positive)\b(?=\W*$|\W*[.;!?\n]"
    r"|\W+(?:both|question|at the same|answer))|\b(?:yes or no|yes and no|yes/no|no or yes)\b"
    r"|是\W{0,2}[和或与/、]\W{0,2}否|是还是(?:否|不是)|有\W{0,2}[和或与/、]\W{0,2}(?:没有|无)"
    r"|是也不是",
    re.I,
)
_LONE = re.compile(
    r"(?:(?P<turn>\b(?:wait|actually|rather|correction|sorry|on reflection|i mean"
    r"|instead)\b\W{1,4}(?:it is |it's )?)|\bbut (?:also )?|\balso "
    r"|[.!;\n,:(][ \t]*|\b(?:so|is|say|be|therefore|hence|thus)\s+)(?P<word>yes"
    r"|no)\b(?=\s*(?:[.,;!)\n]|$)|\s+(?:if|when|unless)\b)",
    re.I,
)
_TAKEN_BACK = re.compile(
    r"(?:yes|no)\b\W{1,3}(?:is|would be|'s) (?:not|wrong|incorrect|false|never)\b", re.I
)
_PART = re.compile(r"[^.!?。\n]*[.!?。\n]?\s*")
_CHINESE_ASKING = re.compile(r"(?:是否|有没有|有无|是不是|能否|可否|能不能|会不会)[^。,;\n]*")
_SENTENCE = re.compile(r"[^.!?;。\n]+")
_NOT_SEEN = re.compile(
    r"\bthere (?:is|are|was|were|appears? to be|seems? to be)(?: no| not|n't| neither)\b"
    r"|\bthere(?:'s| is) no|\b(?:shows?|reveals?|demonstrates?|displays?|see|find|has|have|had"
    r"|with|contains?|exhibits?|identify|identified|detect|detected|note|noted|is|are|was|were"
    r"|suggests?|indicates?) no\b|\bno (?:\w+ ){0,2}(?:evidence|signs?|indications?)\b|\b(?:do"
    r"|does|did)(?:n't| not) (?:see|show|appear|contain|have|reveal|demonstrate|seem|exist"
    r"|indicate|identify|suggest|exhibit|display|look|represent|find|detect|notice|observe)\b"
    rf"|\b(?:is|are|was|were)(?:n't| not) (?:\w+ly )?{_SEEN}\b|\b(?:not|cannot be|can't be) (?:be "
    rf")?{_SEEN}\b"
    r"|\b(?:absence|free) (?:of|from)\b|\bnegative for\b|\bruled out\b"
    r"|\b(?:is|are|was|were) (?:absent|negative|false|incorrect|untrue|not (?:true|correct|the "
    r"case))\b",
    re.I,
)
_IS_SEEN = re.compile(
    r"\bthere (?:is|are|was|were|appears? to be|seems? to be) (?!no\b|not\b|neither\b)|\bthere's "
    r"an?\b"
    rf"|\b(?:is|are|was|were|can be|be) (?:\w+ly )?{_SEEN}\b"
    r"|\b(?:is|are|was|were) (?:positive|true|correct)\b(?! (?:answer|diagnosis|option))"
    r"|\bi (?:can |do )?(?:see|notice|identify|observe) (?:an?|the|some|evidence|signs)\b"
    r"|\bpositive for\b|\b(?:presence|evidence) of\b",
    re.I,
)
_THERE_IS = re.compile(r"\bthere (?:is|are|was|were)\b(?! no| not|n't)", re.I)
_NORMAL = re.compile(r"\b(?:ab|un)?(?:normal\w*|remarkable)\b", re.I)
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_CHINESE_LEAD = re.compile(
    r"(?:答案|回答|答|结论|因此|所以|综上所述|综上|故|我认为|我觉得|应该"
    r"|根据[^,。]{0,30},)[是为:,\s]*(?=[^\s])"
)
_CHINESE_NO = re.compile(
    r"(?:并不?(?:是|存在|包含)|不(?!正常|清楚|清晰|知道|确定|一定|明|好说|错|同|详)|否|没(?!错)"
    r"|无(?!法|疑)|未(?!知|定)|并非|并没有|并无|非(?!常)|错|假(?=$|的|[,。])|阴性|看不到|看不见"
    r"|排除)"
)
_CHINESE_YES = re.compile(
    r"(?:是(?!否|不是|还是)|有(?!没有|无|可能|待)|(?:对|能|会|真|可)(?=$|[的呀啊,.。!])|正确|存在"
    r"|可见|阳性|可以|肯定|没错|包含|包括|的确|确实|发现|显示有|能够|看到|看得)"
)
_CHINESE_NOT_SEEN = re.compile(
    r"[^。;\n]{0,40}?(?:没有|未见|无(?!法|疑)|不存在|未发现|不包含|看不到|并无)"
)
_CHINESE_SEEN = re.compile(r"[^。;,\n]{0,30}?(?:存在|可见|有(?!没有|无|可能))")


def parse_yes_no(response: str) -> Parsed:
    """Returns `yes` or `no` as a response commits to it, else None with the reason.

    Words and their synonyms count (present, negative, true, 是, 没有), and sentences that state
    that something is there or is not. What is "normal" is neither.
    """
    text, how = final_answer(response)
    if not text:
        return Parsed(None, how)
    whole = plain(marked(response)[0])
    doubt = doubted_word(_without_questions(whole) or whole)
    if doubt:
        return Parsed(None, doubt)
    found = _read(text)
    if found.value is None and found.reason == "no_answer" and how == "phrase":
        text, how = whole, "whole"
        found = _read(text)
    if found.value is not None and how in {"answer_tag", "boxed", "json"}:
        return Parsed(found.value, how)
    return found


def check_yes_no(gold: YesNoGold, response: str) -> Check:
    """Checks an answer to a yes/no question."""
    found = parse_yes_no(response)
    if found.value is None:
        return Check.unparsed(found.reason)
    return Check.of(found.value == gold.value, found.value, found.reason)


def yes_no_gold(text: str) -> YesNoGold | None:
    """Returns the gold that a whole answer text stands for, or None where it is no yes or no."""
    word = unify(text).strip(" \t\n.。!,").lower()
    if word in _YES_GOLDS:
        return YesNoGold(value="yes")
    return YesNoGold(value="no") if word in _NO_GOLDS else None


def yes_no_of(text: str) -> str | None:
    """Returns `yes` or `no` as a plain text says it, or None."""
    return _read(text).value


def _read(text: str) -> Parsed:
    text = _NO_DOUBT.sub(" ", text).strip()
    said = _without_questions(text) if "?" in text else text
    said = _CHINESE_ASKING.sub("", said).strip()
    if not said:
        return Parsed(None, "hedged" if text else "no_answer")
    if _BOTH.search(said[:2000]):
        return Parsed(None, "several")
    said = said.strip(" \t\n\"'.,:;()[]-")
    if _TAKEN_BACK.match(said):
        return Parsed(None, "negated")
    word = _lead(said)
    if word:
        return _unless_contradicted(said, word)
    reason = refused(said)
    if reason:
        return Parsed(None, reason)
    for reading in (_lone, _stated):
        found = reading(said)
        if found is not None:
            return found
    return Parsed(None, "no_answer")


def _without_questions(text: str) -> str:
    parts = (part[0] for part in _PART.finditer(text))
    return "".join(part for part in parts if not part.rstrip().endswith("?")).strip()


def _lead(text: str) -> str:
    """Returns the yes or no with which a text begins, or an empty string."""
    if _CHINESE.search(text[:40]):
        lead = _CHINESE_LEAD.match(text)
        begin = lead.end() if lead else 0
        if refused(text[begin : begin + 8]):
            return ""
        if _CHINESE_NO.match(text, begin):
            return "no"
        if _CHINESE_YES.match(text, begin):
            return "yes"
    if _NO.match(text):
        return "no"
    return "yes" if _YES.match(text) else ""


def _unless_contradicted(text: str, word: str) -> Parsed:
    """A later lone yes or no that differs takes the first back; without a turn there are two."""
    for found in _LONE.finditer(text, 1):
        if found["word"].lower() != word:
            if not found["turn"]:
                return Parsed(None, "several")
            word = found["word"].lower()
    return Parsed(word, "word")


def _lone(text: str) -> Parsed | None:
    words = [found["word"].lower() for found in _LONE.finditer(text)]
    if not words:
        return Parsed("yes", "word") if re.search(r"\byes\b", text, re.I) else None
    return Parsed(words[0], "word") if len(set(words)) == 1 else Parsed(None, "several")


def _stated(text: str) -> Parsed | None:
    """Reads sentences that say that something is there or is not; all must agree."""
    said: set[str] = set()
    for found in _SENTENCE.finditer(text[:4000]):
        part = found[0]
        absent = bool(_NOT_SEEN.search(part) or _CHINESE_NOT_SEEN.match(part))
        seen = bool(_IS_SEEN.search(part) or _CHINESE_SEEN.match(part))
        if absent and _THERE_IS.search(part):
            return Parsed(None, "several")
        if absent:
            said.add("no")
        elif seen and not _NORMAL.search(part):
            said.add("yes")
    if len(said) == 1:
        return Parsed(said.pop(), "statement")
    return Parsed(None, "several") if said else None
