"""The page of scored runs: tables, charts, breakdowns, and every item with its answers."""
