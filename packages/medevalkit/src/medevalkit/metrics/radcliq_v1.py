"""RadCliQ-v1: what four other metrics together say about a report; below zero for a perfect one."""

from medevalkit.radcliq import V1, composite_metric

METRIC = composite_metric("radcliq-v1", V1)
