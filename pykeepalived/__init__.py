"""A drop-in keepalived in Python."""

__version__ = "0.1.0"
