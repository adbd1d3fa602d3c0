"""RadCliQ-v0: what four other metrics together say about a report."""

from medevalkit.radcliq import V0, composite_metric

METRIC = composite_metric("radcliq-v0", V0)
