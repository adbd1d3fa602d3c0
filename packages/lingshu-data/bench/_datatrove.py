"""Signs texts with datatrove; run by `minhash.py` with the Python that has datatrove installed.

Reads a JSON list of texts and prints the best CPU seconds of three rounds: from text to signature,
128 permutations in 16 buckets of 8, runs of 5 words, as datatrove cuts and hashes them.
"""

import json
import sys
import tempfile
import time

from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature


def main() -> None:
    """Prints the seconds."""
    texts = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        config = MinhashConfig(n_grams=5, num_buckets=16, hashes_per_bucket=8)
        signer = MinhashDedupSignature(folder, config)
        signer.get_signature(signer.get_shingles(texts[0]))
        best = 1e9
        for _ in range(3):
            started = time.process_time()
            for text in texts:
                signer.get_signature(signer.get_shingles(text))
            best = min(best, time.process_time() - started)
    print(best)


if __name__ == "__main__":
    main()
