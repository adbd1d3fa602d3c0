"""`python -m lingshu_rl`, as torchrun starts it."""

from lingshu_rl.cli import main

main()
