"""Status, statistics and dumps."""
