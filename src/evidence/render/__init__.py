"""Render the examples and the measurements into .build/, which both builders read."""
