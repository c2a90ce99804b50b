"""The rules of sending, without I/O."""
