"""Verifiable medical questions, rewards by rule, and GRPO (paper, sections 3.1.4 and 5.5)."""
