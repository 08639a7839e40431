"""The daemon's options and the operator's commands."""
