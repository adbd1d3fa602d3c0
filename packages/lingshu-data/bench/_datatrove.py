"""Signs texts with datatrove; run by `minhash.py` with the Python that has datatrove installed.

Reads a JSON list of texts as one line. For every further line it signs them all and prints the CPU
seconds: from text to signature, 128 permutations in 16 buckets of 8, runs of 5 words, as datatrove
cuts and hashes them.
"""

import json
import sys
import tempfile
import time

from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature


def main() -> None:
    """Prints the seconds of every round that is asked for."""
    texts = json.loads(sys.stdin.readline())
    with tempfile.TemporaryDirectory() as folder:
        config = MinhashConfig(n_grams=5, num_buckets=16, hashes_per_bucket=8)
        signer = MinhashDedupSignature(folder, config)
        signer.get_signature(signer.get_shingles(texts[0]))
        for _ in sys.stdin:
            started = time.process_time()
            for text in texts:
                signer.get_signature(signer.get_shingles(text))
            print(time.process_time() - started, flush=True)


if __name__ == "__main__":
    main()
