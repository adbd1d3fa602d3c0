"""lingshu_train."""
