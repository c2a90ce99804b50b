"""Who may call, and the header fields of every answer."""
