"""Test suites that use hookbin: the pytest plugin, and the server that it runs in a thread."""
