"""What a bin answers."""
