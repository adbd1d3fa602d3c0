"""The kinds of synthesis, one file each; the folder is the registry."""
