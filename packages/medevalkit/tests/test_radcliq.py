"""RadCliQ of known features, and as a metric of reports."""

import pytest

from lingshu_core.errors import SettingsError
from medevalkit.metric import METRICS, Given, Measured, Metric, Pair
from medevalkit.radcliq import FEATURES, V0, V1

GOLDEN = (
    # RadGraph-F1, BERTScore, SembScore and BLEU-2; then what the published pickles give for them.
    ((0.0, 0.0, 0.0, 0.0), 5.516160804054495, 2.4501430833271307),
    ((1.0, 1.0, 1.0, 1.0), -0.24213342294409346, -1.4406902828047017),
    ((0.2, 0.4, 0.3, 0.1), 3.5038045751579734, 1.2423301736339396),
    (
        (0.8132702392002724, 0.8865822504610383, 0.5672993533438979, 0.7294965609839984),
        1.013440143835059,
        -0.5904978123204944,
    ),
    (
        (0.8574042765875693, -0.2563387521028963, 0.7026209910729385, 0.17565562060255901),
        3.7343897694050074,
        1.1067174251986376,
    ),
    (
        (0.5715298307297609, 0.11843020839872481, 0.5537300332196665, 0.33791122550713326),
        3.4554323144470205,
        0.992119878110339,
    ),
    (
        (0.8764842308107038, -0.22386155475324732, 0.2697287666002265, 0.15027946689483906),
        4.399171170225402,
        1.459972862258257,
    ),
    (
        (0.4799879238078322, 0.0020847955310950295, 0.7820686365901387, 0.9235301597834695),
        3.941410255287547,
        1.0710328545735284,
    ),
    (
        (0.8181209709709104, 0.5144584011456796, 0.9549854069671865, 0.3694044110916809),
        1.1423967992277289,
        -0.36787822181152874,
    ),
    (
        (0.3159435453677002, -0.06247390739546879, 0.8681079334344768, 0.812335398111254),
        4.155822939272066,
        1.2962905684326997,
    ),
    (
        (0.4999728236586185, 0.6673267230674427, 0.09494941452212469, 0.3880667317845192),
        2.8123283240475434,
        0.6314625639558175,
    ),
    (
        (0.19723494729586855, 0.7505777773576385, 0.43773063974218596, 0.9886953333678197),
        2.829474887907225,
        0.5300130326915434,
    ),
)
REPORT = "The heart is normal in size. The lungs are clear."
PAIRS = (Pair(REPORT, REPORT), Pair("", REPORT), Pair("No mass.", REPORT))
NAMES = ("radcliq-v0", "radcliq-v1")


def offered(monkeypatch, values):
    """Offers a feature's metric as another distribution would: by its name."""
    find, names = type(METRICS).get, type(METRICS).names

    def metric(name):
        return Metric(name, lambda pairs, _: Measured({name: [values[name]] * len(pairs)}))

    monkeypatch.setattr(type(METRICS), "names", lambda self: [*names(self), *values])
    monkeypatch.setattr(
        type(METRICS),
        "get",
        lambda self, name: metric(name) if name in values else find(self, name),
    )


@pytest.mark.parametrize(("features", "v0", "v1"), GOLDEN)
def test_features_give_the_published_values(features, v0, v1):
    assert abs(V0(features) - v0) <= 1e-12
    assert abs(V1(features) - v1) <= 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_missing_features_are_all_named(name):
    with pytest.raises(SettingsError) as raised:
        METRICS.get(name).compute(PAIRS, Given())
    said = str(raised.value)
    assert said.startswith(f"{name} needs ")
    for feature in FEATURES[:3]:
        assert feature in said
    for weights in ("RadGraph 1.0", "distilroberta-base", "CheXbert"):
        assert weights in said


@pytest.mark.parametrize(("name", "composite"), list(zip(NAMES, (V0, V1), strict=True)))
def test_every_pair_has_its_value_of_its_features(name, composite, monkeypatch):
    given = {"radgraph-f1": 0.2, "bertscore": 0.4, "sembscore": 0.3}
    offered(monkeypatch, given)
    metric = METRICS.get(name)
    found = metric.compute(PAIRS, Given()).values[name]
    assert metric.lower_is_better and len(found) == len(PAIRS)
    same, empty = (composite((*given.values(), bleu)) for bleu in (1.0, 0.0))
    assert found[:2] == [pytest.approx(same, abs=1e-12), pytest.approx(empty, abs=1e-12)]
    # "No mass." shares the full stop alone: 1 of 3 words, 0.1 of 2 pairs, 3 words against 12.
    bleu = (1 / 3 * 0.1 / 2) ** 0.5 * 2.718281828459045 ** (1 - 12 / 3)
    assert found[2] == pytest.approx(composite((*given.values(), bleu)), abs=1e-9)


def test_a_feature_that_cannot_be_computed_says_why(monkeypatch):
    offered(monkeypatch, {"radgraph-f1": 0.2, "sembscore": 0.3})
    with pytest.raises(SettingsError, match=r"needs bertscore \(distilroberta-base[^;]*$"):
        METRICS.get("radcliq-v1").compute(PAIRS, Given())
