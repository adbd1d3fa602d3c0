"""Metrics of texts and reports, one file each."""
