"""The VRRP core: pure decisions, no clock, no socket."""
