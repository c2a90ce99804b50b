"""Which requests are meant: rules of answers and filters of lists."""
