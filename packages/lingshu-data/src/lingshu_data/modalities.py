"""The names that publishers give to modalities, as ours."""

from lingshu_core.modality import Modality

_NAMES: dict[Modality, tuple[str, ...]] = {
    Modality.XRAY: ("x-ray", "xray", "x ray", "radiograph", "xr", "digital radiography", "cxr"),
    Modality.CT: ("computed tomography", "ct", "ct scan", "ct-scan"),
    Modality.MRI: ("magnetic resonance imaging", "mri", "mr", "mr imaging"),
    Modality.PET: ("positron emission tomography", "pet", "pet/ct", "pet-ct"),
    Modality.ULTRASOUND: ("ultrasound", "ultrasonography", "us", "sonography", "doppler"),
    Modality.MAMMOGRAPHY: ("mammography", "mammogram"),
    Modality.ANGIOGRAPHY: ("angiography", "angiogram", "dsa", "cta", "mra"),
    Modality.HISTOPATHOLOGY: ("histopathology", "histology", "pathology", "whole slide image"),
    Modality.MICROSCOPY: ("microscopy", "microscopy images", "electron microscopy", "cytology"),
    Modality.DERMOSCOPY: ("dermoscopy", "dermatoscopy"),
    Modality.FUNDUS: ("fundus", "fundus photography", "fundus photograph"),
    Modality.OCT: ("optical coherence tomography", "oct"),
    Modality.ENDOSCOPY: ("endoscopy", "colonoscopy", "laparoscopy", "bronchoscopy"),
    Modality.PHOTOGRAPH: ("digital photography", "photograph", "gross", "clinical photograph"),
    Modality.FIGURE: ("others", "chart", "diagram", "figure", "graph"),
}
_BY_NAME = {name: modality for modality, names in _NAMES.items() for name in names}


def modality_named(name: str | None) -> Modality:
    """Returns the modality that a publisher's words mean; unknown where they say none of ours."""
    said = (name or "").strip().lower()
    if said in _BY_NAME:
        return _BY_NAME[said]
    # The longest name first: `ct angiography` is an angiography.
    for known in sorted(_BY_NAME, key=len, reverse=True):
        if len(known) > 3 and known in said:
            return _BY_NAME[known]
    return Modality.UNKNOWN
