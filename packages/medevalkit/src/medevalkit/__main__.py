"""`python -m medevalkit`."""

from medevalkit.cli import main

main()
