"""Rewards, one file each; `lingshu_rl.reward` says what one is."""
