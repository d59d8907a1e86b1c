"""Check how the pages are written, and count how they address their reader."""
