"""Trackers: what a script's or an interface's result means."""
