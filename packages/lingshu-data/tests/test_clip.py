"""Modalities are found with open_clip itself: small models with random weights, made in place.

One is built of open_clip's own parts, one as BiomedCLIP is: a vision model of timm, and a BERT with
its own vocabulary for the text.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.panels import read_stats

pytestmark = [
    pytest.mark.slow,
    # torch.jit, which open_clip imports, is on its way out.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
PROMPT_WORDS = "this is a of an the x ray radiograph computed tomography slice magnetic image"
OWN = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "patch_size": 8, "width": 32, "layers": 2, "head_width": 16},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def like_biomedclip(folder: Path) -> dict[str, object]:
    """Writes a small BERT with its vocabulary and returns a configuration that names it."""
    from transformers import BertConfig, BertTokenizerFast

    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PROMPT_WORDS.split()]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertConfig(vocab_size=len(words), intermediate_size=64, **sizes).save_pretrained(folder)
    return {
        "embed_dim": 32,
        "vision_cfg": {
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "",
            "timm_proj": "linear",
            "image_size": 160,
        },
        "text_cfg": {
            "hf_model_name": str(folder),
            "hf_tokenizer_name": str(folder),
            "hf_model_pretrained": False,
            "hf_proj_type": "mlp",
            "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 64,
        },
    }


@pytest.fixture(scope="module", params=["own", "like BiomedCLIP"])
def model(request, tmp_path_factory) -> str:
    """Returns the name of a model with random weights, always the same ones."""
    open_clip = pytest.importorskip("open_clip")
    torch = pytest.importorskip("torch")
    place = tmp_path_factory.mktemp("model")
    if request.param == "own":
        folder, config = place / "clip", OWN
        folder.mkdir()
    else:
        folder = place / "clip"
        config = like_biomedclip(folder)
    stored = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    # open_clip counts on a file of the weights, so that the model is made from its configuration.
    torch.manual_seed(0)
    kind = open_clip.CustomTextCLIP if "hf_model_name" in config["text_cfg"] else open_clip.CLIP
    made = kind(**json.loads(json.dumps(config)))
    torch.save(made.state_dict(), folder / "open_clip_pytorch_model.bin")
    (folder / "open_clip_config.json").write_text(json.dumps(stored), encoding="utf-8")
    return f"local-dir:{folder}"


@pytest.fixture(scope="module")
def partly_labelled(nano, tmp_path_factory) -> Path:
    """Returns real pictures of many modalities, every fifth without its label."""
    out = tmp_path_factory.mktemp("data") / "partly"
    source = Manifest(nano)
    with ManifestWriter(out, producer=source.header.producer) as writer:
        for number, record in enumerate(source):
            if number % 5 == 0:
                record = record.replace(modality=Modality.UNKNOWN)
            writer.write(record, source=source)
    return out


def command(*words: str | Path) -> str:
    """Runs `lingshu-data` and returns what it says."""
    whole = [sys.executable, "-m", "lingshu_data", *map(str, words)]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_head_is_fitted_measured_and_used(model, nano, partly_labelled, tmp_path):
    said = command("classify", nano, "--fit", "--out", tmp_path / "head", "--set", f"model={model}")
    stats = read_stats(tmp_path / "head")
    labels = Counter(record.modality for record in Manifest(nano))
    most_frequent = max(labels.values()) / labels.total()
    # Vectors of random weights tell bright from dark and smooth from grainy, which helps a head.
    assert stats.figures["accuracy"] > most_frequent
    assert f"{stats.figures['accuracy']:.3f}" in said
    assert stats.counts["learned"] + stats.counts["held_out"] == labels.total()

    again = ["classify", nano, "--fit", "--out", tmp_path / "head", "--set", f"model={model}"]
    assert "made already, nothing to do" in command(*again)
    with pytest.raises(AssertionError, match="fitted with other settings"):
        command(*again, "--set", "penalty=0.1")

    use = ["--set", f"model={model}", "--set", f"head={tmp_path / 'head'}"]
    use += ["--set", "least_chance=0"]
    command("classify", partly_labelled, "--out", tmp_path / "labelled", *use)
    truth = {record.id: record.modality for record in Manifest(nano)}
    before = {record.id: record.modality for record in Manifest(partly_labelled)}
    found = list(Manifest(tmp_path / "labelled"))
    assert [record.id for record in found] == list(before)
    filled = [record for record in found if before[record.id] == Modality.UNKNOWN]
    right = sum(record.modality == truth[record.id] for record in filled)
    assert right / len(filled) > most_frequent
    assert all("modality_chance" in record.tags for record in filled)
    assert all(record.provenance[-1].model == model for record in filled)
    known = [record for record in found if before[record.id] != Modality.UNKNOWN]
    assert all(record.modality == before[record.id] for record in known)
    after = read_stats(tmp_path / "labelled")
    assert (after.counts["filled_in"], after.counts["known"]) == (len(filled), len(known))


def test_zero_shot_says_what_open_clip_says(model, partly_labelled, tmp_path):
    import open_clip
    import torch

    from lingshu_data.clip import PROMPTS

    use = ["--set", f"model={model}", "--set", "least_chance=0"]
    command("classify", partly_labelled, "--out", tmp_path / "out", *use)
    clip, preprocess = open_clip.create_model_from_pretrained(model)
    clip.eval()
    with torch.inference_mode():
        texts = open_clip.get_tokenizer(model)(list(PROMPTS.values()))
        prompts = clip.encode_text(texts, normalize=True)
        for record in Manifest(tmp_path / "out"):
            if "modality_chance" not in record.tags:
                continue
            image = Pillow.open(tmp_path / "out" / record.images[0].path).convert("RGB")
            vector = clip.encode_image(preprocess(image)[None], normalize=True)
            chances = (100 * vector @ prompts.T).softmax(dim=-1)[0]
            assert record.modality == list(PROMPTS)[int(chances.argmax())]
            assert float(record.tags["modality_chance"]) == pytest.approx(
                float(chances.max()), abs=0.002
            )


def test_a_killed_or_repeated_run_looks_no_second_time(model, partly_labelled, tmp_path):
    use = ["--set", f"model={model}", "--workers", "2"]
    command("classify", partly_labelled, "--out", tmp_path / "a", *use)
    command("classify", partly_labelled, "--out", tmp_path / "b", *use[:2])
    parts = [(tmp_path / name / "part-00000.jsonl").read_bytes() for name in ("a", "b")]
    assert parts[0] == parts[1]
    assert "nothing to do" in command("classify", partly_labelled, "--out", tmp_path / "a", *use)


def test_what_is_broken_is_set_aside_and_the_run_goes_on(model, build, pictures, tmp_path):
    noise, png = pictures
    toy = build()
    first, gone, cut, last = (
        toy.imaging(data, modality=modality)
        for data, modality in (
            (png(noise(1)), "ct"), (png(noise(2)), "ct"),
            (png(noise(3))[:200], "unknown"), (png(noise(4)), "mri"),
        )
    )  # fmt: skip
    toy.close()
    (tmp_path / "in" / gone.images[0].path).unlink()
    part = tmp_path / "in" / "part-00000.jsonl"
    part.write_bytes(b"{broken\n" + part.read_bytes())
    (tmp_path / "in" / "manifest.json").unlink()
    command("classify", part, "--out", tmp_path / "out", "--set", f"model={model}")
    assert [record.id for record in Manifest(tmp_path / "out")] == [first.id, cut.id, last.id]
    aside = (tmp_path / "out" / "set-aside.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in aside]
    assert [(item["place"], item["kind"]) for item in told] == [
        ("part-00000.jsonl:1", "no record"),
        ("part-00000.jsonl:3", "a file is missing"),
    ]
    assert told[0]["line"] == "{broken" and gone.id in told[1]["line"]
    counts = read_stats(tmp_path / "out").counts
    assert (counts["in"], counts["records"], counts["set_aside"]) == (5, 3, 2)
    assert (counts["known"], counts["unseen"]) == (2, 1)
    fitted = ["--fit", "--out", tmp_path / "head", "--set", f"model={model}"]
    command("classify", part, *fitted, "--set", "held_out=0.01")
    counts = read_stats(tmp_path / "head").counts
    assert (counts["learned"], counts["set_aside"]) == (2, 2)


def test_vectors_have_length_one_and_a_model_that_is_not_there_is_named(model, pictures):
    from lingshu_data.clip import Clip

    noise, _ = pictures
    clip = Clip(model)
    vectors = clip.pictures([clip.prepared(noise(seed)) for seed in range(3)])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert clip.texts(["this is a slice", "magnetic image"]).shape == (2, vectors.shape[1])
    with pytest.raises(SettingsError, match=r"'local-dir:/nowhere' cannot be loaded"):
        Clip("local-dir:/nowhere")
