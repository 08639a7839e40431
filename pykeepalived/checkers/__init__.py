"""Health checkers: one file a probe, and the belief over many probes."""
