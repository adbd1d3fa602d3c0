"""The drivers, one file each."""
