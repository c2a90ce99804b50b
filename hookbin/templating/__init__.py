"""Rendering the templates of answers, in a process that limits itself."""
