"""What a spec says of a table's columns, as functions from row numbers to columns."""
