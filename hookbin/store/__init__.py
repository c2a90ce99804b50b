"""All the SQL: one writer, a few readers, and a class for each thing that is kept."""
