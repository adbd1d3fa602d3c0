"""What the packages of Lingshu share: records, manifests, checkpoints, recipes, answers.

Nothing is imported here, so that a command line that needs one module does not pay for all:
`from lingshu_core.manifest import Manifest`, `from lingshu_core.records import Question`.
"""
