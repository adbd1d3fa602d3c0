"""Keeps the bars and hints of the libraries below from drowning what this package says."""

import logging
import os
from typing import Any


def quieten() -> None:
    """Leaves only errors of transformers and DeepSpeed on the console."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    import transformers

    upstream: Any = transformers.utils.logging
    upstream.set_verbosity_error()
    upstream.disable_progress_bar()
