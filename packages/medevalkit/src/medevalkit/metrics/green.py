"""GREEN: a language model lists errors and agreements of two reports (Ostmeier et al., 2024).

The score is the share of matched findings among these and the clinically significant errors. The
model was trained on one wording of its task, which its authors publish with their code and which is
not ours to hand out: it is read from `prompt.txt` beside the weights.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from lingshu_core.errors import SettingsError
from medevalkit.extras import needed
from medevalkit.metric import Pair, Weights, by_model
from medevalkit.published import EXTRA, device, each, load
from medevalkit.settings import ReportSettings

NAME = "green"
PROMPT = "prompt.txt"
SIGNIFICANT, MATCHED = "Clinically Significant Errors", "Matched Findings"
_LONGEST = 2048
"""Tokens of prompt and answer together."""
_WORDS = 300
"""Of each report, as the model was trained."""
_SHOWN = "<|user|>\n{prompt}{end}\n<|assistant|>\n{end}\n<|assistant|>\n"
"""The turns that the model was trained on: an empty answer stands before the one that is asked."""
_LETTERED, _NUMBERED = re.compile(r"\(([a-f])\) (.*)"), re.compile(r"\(([1-6])\) (.*)")
_COUNT = re.compile(r"(?<=: )\d+(?=\.)")


def green(analysis: str) -> float:
    """Returns matched findings / (matched findings + significant errors), 0 where none matches.

    Args:
        analysis: What the model wrote: sections headed `[Clinically Significant Errors]:` with a
            line `(a) …: 2. …` for each of six kinds, and `[Matched Findings]:` with `3. …`. A
            section that is missing, or begins with "No", counts nothing.
    """
    matched = _matched(_section(analysis, MATCHED))
    errors = _errors(_section(analysis, SIGNIFICANT))
    return matched / (matched + errors) if matched else 0.0


def _section(analysis: str, title: str) -> str:
    found = re.search(rf"\[{title}\]:\s*(.*?)(?:\n\s*\n|\Z)", analysis, re.DOTALL)
    return "" if found is None or found[1].startswith("No") else found[1]


def _matched(section: str) -> int:
    found = re.match(r"(\d+)\.", section)
    return int(found[1]) if found else 0


def _errors(section: str) -> int:
    """Returns the sum over the kinds; of a kind that stands twice the last in order counts."""
    lines = sorted(_LETTERED.findall(section) or _NUMBERED.findall(section))
    counts = {kind: int(found[0]) for kind, text in lines if (found := _COUNT.search(text))}
    return sum(counts.values())


def template(place: str) -> Template:
    """Returns the wording of the task; SettingsError where it is not beside the weights."""
    path = Path(place) / PROMPT
    try:
        found = Template(path.read_text(encoding="utf-8"))
        found.substitute(reference="", candidate="")
    except OSError:
        raise SettingsError(
            f"{path}: the wording that the model was trained on is missing: put the weights into a "
            "folder (-s weights.green=DIR) and beside them, as prompt.txt, the prompt of "
            "`make_prompt` in Stanford-AIMI/GREEN, with $reference and $candidate in their places"
        ) from None
    except (KeyError, ValueError) as error:
        raise SettingsError(
            f"{path}: may hold $reference and $candidate and no other placeholder ({error})"
        ) from None
    if not {"reference", "candidate"} <= set(found.get_identifiers()):
        raise SettingsError(f"{path}: has to hold $reference and $candidate")
    return found


class Green:
    """The language model."""

    def __init__(self, places: Mapping[str, str], settings: ReportSettings) -> None:
        self._torch = needed("torch", extra=EXTRA)
        place = places[NAME]
        self._template = template(place)
        self._tokenizer = load("AutoTokenizer", NAME, place)
        half = "float16" if device() == "cuda" else "float32"
        self._model = load("AutoModelForCausalLM", NAME, place, dtype=half).to(device()).eval()
        self._longest = min(_LONGEST, self._model.config.max_position_embeddings)
        self._batch_size = settings.batch_size

    def measure(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Returns the score of every pair; an empty response matches nothing, unasked."""
        prompts = [self._prompt(pair) for pair in pairs]
        asked = [p for p, pair in zip(prompts, pairs, strict=True) if pair.response.strip()]
        found = each(asked, self._answer, self._batch_size)
        return [{NAME: green(found.get(prompt, ""))} for prompt in prompts]

    def _prompt(self, pair: Pair) -> str:
        return self._template.substitute(
            reference=" ".join(pair.reference.split()[:_WORDS]),
            candidate=" ".join(pair.response.split()[:_WORDS]),
        )

    def _answer(self, prompts: list[str]) -> list[str]:
        rows = [self._tokens(prompt) for prompt in prompts]
        width, end = max(map(len, rows)), self._tokenizer.eos_token_id
        ids = [[end] * (width - len(row)) + row for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        tensor = self._torch.tensor
        with self._torch.inference_mode():
            said = self._model.generate(
                input_ids=tensor(ids, device=self._model.device),
                attention_mask=tensor(mask, device=self._model.device),
                eos_token_id=end,
                pad_token_id=end,
                max_length=self._longest,
                do_sample=False,
                temperature=None,
                top_p=None,
            )
        return [str(self._tokenizer.decode(r, skip_special_tokens=True)) for r in said[:, width:]]

    def _tokens(self, prompt: str) -> list[int]:
        """Returns a prompt's tokens between start and end, with room for at least one more."""
        text = _SHOWN.format(prompt=prompt, end=self._tokenizer.eos_token)
        inner: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        start = [self._tokenizer.bos_token_id] if self._tokenizer.bos_token_id is not None else []
        return [*start, *inner, self._tokenizer.eos_token_id][: self._longest - 1]


METRIC = by_model(
    NAME,
    "share of matched findings among these and significant errors, told by a model (GREEN)",
    Weights(
        {NAME: "StanfordAIMI/GREEN-radllama2-7b"},
        Green,
        "greedy, 300 words of each report, 2,048 tokens in all; empty responses count as 0",
    ),
)
