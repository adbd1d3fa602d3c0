"""BiomedCLIP, or another model of open_clip, as a function from pictures to vectors.

open_clip and torch come with the extra `lingshu-data[classify]`. A model is named in open_clip's
way: `hf-hub:microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224` from the hub,
or `local-dir:PATH`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image as Pillow

from lingshu_core.errors import SettingsError
from lingshu_core.modality import Modality

BIOMEDCLIP = "hf-hub:microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224"

PROMPTS: dict[Modality, str] = {
    Modality.XRAY: "this is an X-ray radiograph",
    Modality.CT: "this is a computed tomography slice",
    Modality.MRI: "this is a magnetic resonance image",
    Modality.PET: "this is a positron emission tomography image",
    Modality.ULTRASOUND: "this is an ultrasound image",
    Modality.MAMMOGRAPHY: "this is a mammogram",
    Modality.ANGIOGRAPHY: "this is an angiogram of blood vessels",
    Modality.HISTOPATHOLOGY: "this is a stained histopathology section",
    Modality.MICROSCOPY: "this is a microscopy image of cells",
    Modality.DERMOSCOPY: "this is a dermoscopy image of a skin lesion",
    Modality.FUNDUS: "this is a fundus photograph of the retina",
    Modality.OCT: "this is an optical coherence tomography scan",
    Modality.ENDOSCOPY: "this is an endoscopy image",
    Modality.PHOTOGRAPH: "this is a clinical photograph of a patient",
    Modality.FIGURE: "this is a chart, a table or a diagram",
}
"""What zero-shot classification compares a picture with."""


class Clip:
    """A model, loaded once in a process; it runs on a GPU where there is one.

    Args:
        name: As open_clip names models.

    Raises:
        SettingsError: The extra is missing, or there is no such model here.
    """

    def __init__(self, name: str) -> None:
        try:
            import open_clip
            import torch
        except ImportError:
            needed = "pip install 'lingshu-data[classify]'"
            raise SettingsError(f"open_clip is not installed: {needed}") from None
        self._torch = torch
        try:
            made = open_clip.create_model_from_pretrained(name)
        except Exception as error:
            # open_clip and the hub raise many kinds of error for a model that is not there.
            raise SettingsError(f"the model {name!r} cannot be loaded: {error}") from None
        self._model, self._preprocess = made
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model.to(self._device).eval()
        self._tokenizer = open_clip.get_tokenizer(name)

    def prepared(self, image: Pillow.Image) -> Any:
        """Returns a picture as the model takes it: scaled to its size, so small however large."""
        return self._preprocess(image.convert("RGB"))

    def pictures(self, prepared: Sequence[Any]) -> np.ndarray:
        """Returns the vectors of prepared pictures, float32 (n, d), of length 1."""
        batch = self._torch.stack(list(prepared))
        with self._torch.inference_mode():
            found = self._model.encode_image(batch.to(self._device), normalize=True)
        return np.asarray(found.float().cpu().numpy(), np.float32)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of texts, float32 (n, d), of length 1."""
        tokens = self._tokenizer(list(texts)).to(self._device)
        with self._torch.inference_mode():
            found = self._model.encode_text(tokens, normalize=True)
        return np.asarray(found.float().cpu().numpy(), np.float32)


@cache
def load_clip(name: str) -> Clip:
    """Returns a model, loaded once in a process."""
    return Clip(name)


@cache
def prompt_vectors(name: str) -> tuple[tuple[Modality, ...], Any]:
    """Returns the modalities of zero-shot classification, and their vectors (n, d)."""
    return tuple(PROMPTS), load_clip(name).texts(list(PROMPTS.values()))
