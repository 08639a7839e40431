"""Grammars of structured arguments; pyparsing lives here alone."""
