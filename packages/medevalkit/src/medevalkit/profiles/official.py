"""The official kit as it stands at its head, bug for bug."""

from functools import partial

from medevalkit.official.grading import REPORT_METRICS, grade, start
from medevalkit.profile import Profile

PROFILE = Profile(
    "what the official kit's head says, bug for bug",
    partial(grade, june=False),
    partial(start, june=False),
    judged="official",
    reports="whole",
    metrics=REPORT_METRICS,
)
