"""Evaluation of medical multimodal models."""
