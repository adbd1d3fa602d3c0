"""What the official MedEvalKit does, bug for bug, in our own words and named as such.

Two of its revisions: the head of its main branch (9b12e3b) and that of June 2025 (bdaa8ee), which
is closest to the paper. It carries no licence, so that nothing of it is copied here: these modules
were written from a description of its behaviour, and are compared with its outputs.
"""
