"""Text to Configuration: the language of keepalived.conf."""
