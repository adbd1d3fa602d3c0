"""`python -m lingshu_synth` is the command `lingshu-synth`."""

from lingshu_synth.cli import main

main()
