"""What the traced processes import: this folder is on their PYTHONPATH."""
