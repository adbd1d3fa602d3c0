"""A linear head on picture vectors: multinomial logistic regression, fitted to the end.

The paper trains its modality classifier on BiomedCLIP (section 2.3). The head is small, so that it
is fitted by full-batch Newton steps of scipy with no random choice: the same vectors give the same
head.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from lingshu_core.errors import DataError

FILE_NAME = "head.npz"


@dataclass(frozen=True)
class Head:
    """Weights and labels."""

    weights: np.ndarray
    """float64 (d + 1, k); the last row is the bias."""
    labels: tuple[str, ...]
    model: str
    """The model whose vectors it was fitted to."""
    made: str = ""
    """Hash of the settings and pictures that it was fitted with."""

    def chances(self, vectors: np.ndarray) -> np.ndarray:
        """Returns the chance of every label, float64 (n, k)."""
        return np.asarray(softmax(_with_bias(vectors) @ self.weights, axis=1))

    def write(self, folder: Path) -> None:
        """Writes the head into a folder."""
        with (folder / FILE_NAME).open("wb") as file:
            labels = np.array(self.labels)
            np.savez(file, weights=self.weights, labels=labels, model=self.model, made=self.made)


def read_head(folder: Path) -> Head:
    """Reads a head; DataError where there is none."""
    path = folder / FILE_NAME if folder.is_dir() else folder
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels = tuple(str(label) for label in stored["labels"])
            return Head(
                stored["weights"], labels, str(stored["model"]), str(stored.get("made", ""))
            )
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"is no head that `classify --fit` has written: {error}", path=path
        ) from None


def fit(vectors: np.ndarray, labels: list[str], model: str, penalty: float = 1e-3) -> Head:
    """Fits a head.

    Args:
        vectors: float32 (n, d).
        labels: Of every vector.
        model: Where the vectors come from.
        penalty: Of the squared weights, beside the mean loss.
    """
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise DataError(f"pictures of one modality alone cannot be told apart: {names}")
    inputs = _with_bias(vectors)
    wanted = np.zeros((len(labels), len(names)))
    wanted[np.arange(len(labels)), [names.index(label) for label in labels]] = 1
    shape = (inputs.shape[1], len(names))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        scores = log_softmax(inputs @ weights, axis=1)
        slope = inputs.T @ (np.exp(scores) - wanted) / len(labels) + 2 * penalty * weights
        value = -(wanted * scores).sum() / len(labels) + penalty * (weights**2).sum()
        return float(value), slope.ravel()

    found = minimize(
        loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500}
    )
    return Head(found.x.reshape(shape), names, model)


def _with_bias(vectors: np.ndarray) -> np.ndarray:
    # Unit vectors of a large model differ by little; the factor spares the penalty from it.
    scale = np.sqrt(vectors.shape[1])
    return np.column_stack([vectors.astype(np.float64) * scale, np.ones(len(vectors))])
