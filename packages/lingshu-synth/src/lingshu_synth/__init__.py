"""lingshu_synth."""
