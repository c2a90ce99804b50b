"""hookbin: both ends of a webhook in one process."""

__version__ = "0.1.0"
