"""A request reaching a bin."""
