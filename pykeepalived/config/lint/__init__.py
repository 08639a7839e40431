"""Advice on files that are not wrong: what keepalived accepts and nobody means. Never part of the verdict."""
