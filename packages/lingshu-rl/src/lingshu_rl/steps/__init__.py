"""Steps of curation, one file each; `lingshu_rl.step` says what one is."""
