"""Programs that draw curves while a run goes on, one a file."""
