"""lingshu_rl."""
