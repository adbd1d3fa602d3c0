"""lingshu_data."""
