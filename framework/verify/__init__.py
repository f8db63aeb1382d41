"""Whether a copy is what its source is, row by row, and which rows are not."""
