"""Reactor, children, supervisor, signals, systemd, journal: where things meet."""
