"""What the command line does with a running hookbin, over its API."""
