"""Change the pages that a builder has written, whichever it was."""
