"""Bytes to values and back: VRRP, checksums, HTTP responses. Hostile input, bounded work."""
