"""Render the examples and the data into `.build/`, where the pages find the parts."""

from evidence.render.everything import render

__all__ = ["render"]
