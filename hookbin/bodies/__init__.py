"""Bodies read, within bounds, and their views."""
