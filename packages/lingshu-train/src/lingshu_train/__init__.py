"""The supervised stages of Lingshu on Qwen2.5-VL: alignment, deep alignment, instruction tuning.

Nothing is imported here, so that the command line does not pay for torch.
"""
