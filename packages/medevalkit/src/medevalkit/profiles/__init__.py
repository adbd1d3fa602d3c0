"""Ways of reading and scoring answers, one file each."""
