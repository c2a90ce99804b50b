"""Sending: what is published, when it is due, and how one attempt goes out."""
