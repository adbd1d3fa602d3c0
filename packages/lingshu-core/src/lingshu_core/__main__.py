"""`python -m lingshu_core` is `lingshu`."""

from lingshu_core.cli import main

main()
