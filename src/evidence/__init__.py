"""Finds and runs the examples; a tool of this project, never installed."""
