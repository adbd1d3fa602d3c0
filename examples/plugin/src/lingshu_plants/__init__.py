"""An example of plug-ins: a dataset, a reward and a benchmark about medicinal plants."""
