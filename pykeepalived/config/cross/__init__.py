"""Checks that need more than one keyword, and the values that come of them: blocks as written into resolved classes."""
