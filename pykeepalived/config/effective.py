"""What of a configuration the daemon acts upon today. The language is read whole; what is not effective yet is taken
out here, so that no half of it runs, and every such thing is said once at the start.
"""

from pykeepalived.config.configuration import Configuration


def effective(configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
    """The configuration to run, and what is to be said about what was taken out of it."""
    return configuration, ()
