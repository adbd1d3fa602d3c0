"""Engines, one file each; `lingshu_rl.engine` says what one is."""
