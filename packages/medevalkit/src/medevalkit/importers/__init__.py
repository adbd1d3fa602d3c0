"""Formats of predictions that `medevalkit import` reads, one file each."""
