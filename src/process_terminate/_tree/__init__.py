"""A process tree: its members, how they are found, and how the tree is stopped."""
