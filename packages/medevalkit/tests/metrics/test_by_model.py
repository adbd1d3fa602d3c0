"""The metrics with models, which run for real: tiny ones of random weights."""

import math
import sys
import tarfile

import pytest

from lingshu_core.errors import DataError, SettingsError
from medevalkit.metric import METRICS, Pair
from medevalkit.published import places
from medevalkit.settings import ReportSettings

pytestmark = pytest.mark.slow
pytest.importorskip("torch")

REPORT = "The heart is normal in size. The lungs are clear."
OTHER = "There is a small left pleural effusion, with adjacent atelectasis."
LONG = " ".join([REPORT] * 9)
PAIRS = [Pair(REPORT, REPORT), Pair(OTHER, REPORT), Pair("", REPORT), Pair(LONG, REPORT)]


def opened(name, batch_size=16, **given):
    weights = METRICS.get(name).weights
    found = places(weights, {part.replace("_", "-"): str(p) for part, p in given.items()})
    return weights.open(found, ReportSettings(batch_size=batch_size))


def values(scorer, name, pairs=PAIRS):
    return [row[name] for row in scorer.measure(pairs)]


@pytest.fixture
def folders(roberta, chexbert, bert, radgraph, namer, green):
    """Returns the weights of every metric."""
    return {
        "bertscore": {"bertscore": roberta},
        "sembscore": {"sembscore": chexbert, "sembscore_bert": bert},
        "radgraph-f1": {"radgraph_f1": radgraph},
        "ratescore": {"ratescore": namer, "ratescore_encoder": bert},
        "green": {"green": green},
    }


@pytest.mark.parametrize("name", ["bertscore", "sembscore", "radgraph-f1", "ratescore", "green"])
def test_every_pair_has_its_value_whatever_the_batch(name, folders):
    many = values(opened(name, **folders[name]), name)
    one = values(opened(name, batch_size=1, **folders[name]), name)
    assert len(many) == len(PAIRS) and all(map(math.isfinite, many))
    assert many == pytest.approx(one, abs=1e-5)
    if name != "green":  # random words hold no analysis
        assert many[0] == pytest.approx(1.0, abs=1e-5)
        assert many[1] < many[0] and many[2] < many[0]


def test_bertscore_is_what_its_definition_says(roberta):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(roberta)
    model = AutoModel.from_pretrained(roberta).eval()

    def layer(text):
        with torch.no_grad():
            inputs = tokenizer(text, return_tensors="pt")
            found = model(**inputs, output_hidden_states=True).hidden_states[5][0]
        return [row / row.norm() for row in found]

    said, wanted = layer(OTHER), layer(REPORT)
    best = [max(float(a @ b) for b in wanted) for a in said[1:-1]]
    met = [max(float(a @ b) for a in said) for b in wanted[1:-1]]
    precision, recall = sum(best) / len(best), sum(met) / len(met)
    f1 = 2 * precision * recall / (precision + recall)
    found = values(opened("bertscore", bertscore=roberta), "bertscore")
    assert found[1] == pytest.approx((f1 - 0.8473319) / (1 - 0.8473319), abs=1e-5)
    assert found[2] == pytest.approx(-0.8473319 / (1 - 0.8473319))


def test_a_bert_with_too_few_layers_is_no_bertscore(bert):
    with pytest.raises(SettingsError, match="has 2 layers, and layer 5"):
        opened("bertscore", bertscore=bert)


def test_sembscore_is_the_cosine_of_first_tokens(chexbert, bert):
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    state = torch.load(chexbert / "chexbert.pth", weights_only=True)["model_state_dict"]
    model = BertModel(BertConfig.from_pretrained(bert)).eval()
    model.load_state_dict({k[12:]: v for k, v in state.items() if k.startswith("module.bert.")})
    tokenizer = AutoTokenizer.from_pretrained(bert)
    with torch.no_grad():
        first = [
            model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 0]
            for text in (OTHER, REPORT)
        ]
    found = values(opened("sembscore", sembscore=chexbert, sembscore_bert=bert), "sembscore")
    wanted = float(first[0] @ first[1] / first[0].norm() / first[1].norm())
    assert found[1] == pytest.approx(wanted, abs=1e-5)


def test_broken_weights_of_chexbert_are_named(chexbert, bert, tmp_path):
    import torch

    with pytest.raises(SettingsError, match=r"no chexbert\.pth there.*-s weights\.sembscore=DIR"):
        opened("sembscore", sembscore=tmp_path, sembscore_bert=bert)
    (tmp_path / "chexbert.pth").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="holds no weights of CheXbert"):
        opened("sembscore", sembscore=tmp_path, sembscore_bert=bert)
    torch.save({"model_state_dict": {"module.bert.x": torch.ones(1)}}, tmp_path / "chexbert.pth")
    with pytest.raises(DataError, match="has no weights '"):
        opened("sembscore", sembscore=tmp_path, sembscore_bert=bert)


def test_code_in_weights_is_not_run(bert, tmp_path):
    import pickle

    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    (tmp_path / "chexbert.pth").write_bytes(pickle.dumps({"model_state_dict": Harm()}))
    with pytest.raises(DataError, match="holds no weights"):
        opened("sembscore", sembscore=tmp_path, sembscore_bert=bert)
    assert not (tmp_path / "harm").exists()


def test_radgraph_finds_entities_and_relations(radgraph):
    scorer = opened("radgraph-f1", radgraph_f1=radgraph)
    (found,) = scorer._annotations([LONG])
    kinds = {one["label"] for one in found.values()}
    assert len(found) > 3 and kinds <= {"ANAT-DP", "OBS-DP", "OBS-DA"}
    related = [link for one in found.values() for link in one["relations"]]
    assert related and {kind for kind, _ in related} <= {"modify", "located_at"}
    assert {number for _, number in related} <= set(found)
    # No run of words is longer than the model was made for.
    assert max(len(one["tokens"].split()) for one in found.values()) <= 3


def test_radgraph_scores_spans_as_its_definition_says(radgraph, bert):
    """One run of words, worked out by itself with the weights as they are written."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    from medevalkit.metrics.radgraph_f1 import words_of

    state = torch.load(radgraph / "weights.th", weights_only=True)
    prefix = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
    model = BertModel(BertConfig.from_pretrained(bert)).eval()
    model.load_state_dict({k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)})
    words = words_of("Small left effusions.")
    tokenizer = AutoTokenizer.from_pretrained(bert)
    with torch.no_grad():
        ids = tokenizer(" ".join(words), return_tensors="pt")
        rows = model(**ids).last_hidden_state[0]
    # "effusions" is two pieces: rows 3 and 4, after the start, "small" and "left".
    assert len(rows) == 1 + 5 + 1
    last = (rows[3] + rows[4]) / 2
    width = state["_endpoint_span_extractor._span_width_embedding.weight"][1]
    vector = torch.cat([rows[2], last, width])
    ner = "_ner._ner_scorers.radgraph__ner_labels."
    for number in (0, 1):
        name = f"{ner}0._module._linear_layers.{number}."
        vector = torch.relu(state[f"{name}weight"] @ vector + state[f"{name}bias"])
    scores = state[f"{ner}1._module.weight"] @ vector + state[f"{ner}1._module.bias"]
    label = ["", "ANAT-DP", "OBS-DP", "OBS-DA"][int(scores.argmax()) + 1]
    found = opened("radgraph-f1", radgraph_f1=radgraph)._dygie.find(words).entities
    assert found.get((1, 2), "") == (label if scores.max() > 0 else "")


def test_radgraph_is_read_from_its_archive(radgraph, tmp_path):
    with tarfile.open(tmp_path / "radgraph.tar.gz", "w:gz") as tar:
        for path in sorted(radgraph.rglob("*")):
            tar.add(path, str(path.relative_to(radgraph)), recursive=False)
    unpacked = values(opened("radgraph-f1", radgraph_f1=radgraph), "radgraph-f1")
    for place in (tmp_path, tmp_path / "radgraph.tar.gz"):
        assert values(opened("radgraph-f1", radgraph_f1=place), "radgraph-f1") == unpacked
    (tmp_path / "radgraph.tar.gz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="is no RadGraph model"):
        opened("radgraph-f1", radgraph_f1=tmp_path)


def test_ratescore_names_and_compares_entities(namer, bert):
    scorer = opened("ratescore", ratescore=namer, ratescore_encoder=bert)
    (named,) = scorer._name([OTHER])
    assert named and {kind for _, kind in named} <= {
        *("ABNORMALITY", "ANATOMY", "DISEASE", "NON-ABNORMALITY", "NON-DISEASE")
    }
    assert all(word in OTHER.lower().replace(",", " ,").replace(".", " .") for word, _ in named)
    same, other, empty, _ = values(scorer, "ratescore")
    assert same == pytest.approx(1.0, abs=1e-5) and 0 < other < 1 and empty == 0.0
    assert values(scorer, "ratescore", [Pair("ok", REPORT)]) == [0.5]


def test_green_asks_its_model_and_reads_what_it_says(green, monkeypatch):
    from medevalkit.metrics.green import Green

    scorer = opened("green", green=green)
    said = scorer._answer([scorer._prompt(PAIRS[1]), scorer._prompt(PAIRS[0])])
    assert len(said) == 2 and all(said)
    told = {PAIRS[0]: 1, PAIRS[1]: 3}
    answers = {scorer._prompt(p): f"[Matched Findings]:\n{n}. x" for p, n in told.items()}
    asked = []

    def answer(self, prompts):
        asked.extend(prompts)
        return [answers.get(prompt, "") for prompt in prompts]

    monkeypatch.setattr(Green, "_answer", answer)
    assert values(scorer, "green") == [1.0, 1.0, 0.0, 0.0]
    assert len(asked) == 3  # an empty response is not asked about


def test_weights_that_are_nowhere_are_named(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot be read .*-s weights\.bertscore=DIR"):
        opened("bertscore", bertscore=tmp_path / "nothing")


def test_without_the_extra_it_is_named(roberta, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SettingsError, match=r"lingshu-medevalkit\[report-models\]"):
        opened("bertscore", bertscore=roberta)
