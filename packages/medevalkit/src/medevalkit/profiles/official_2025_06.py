"""The official kit as it stood in June 2025, closest to the paper, bug for bug."""

from functools import partial

from medevalkit.official.grading import REPORT_METRICS, grade, start
from medevalkit.profile import Profile

PROFILE = Profile(
    "what the official kit's code of June 2025 says, bug for bug",
    partial(grade, june=True),
    partial(start, june=True),
    judged="official",
    reports="whole",
    metrics=REPORT_METRICS,
)
