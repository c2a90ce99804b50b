"""What happens now: the timeline and those who follow it."""
