"""Formats that `medevalkit export` writes, one file each."""
