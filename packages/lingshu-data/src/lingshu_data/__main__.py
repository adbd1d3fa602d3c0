"""Runs the command line as `python -m lingshu_data`."""

from lingshu_data.cli import main

main()
