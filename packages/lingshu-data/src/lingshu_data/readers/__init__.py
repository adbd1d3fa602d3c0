"""The ways in which publishers lay out rows, one file each; a source says which, with what."""
