"""Requests on their way out."""
