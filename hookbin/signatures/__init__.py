"""Signatures: made, checked and explained."""
