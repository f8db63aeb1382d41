"""The changes of a living system: which rows, with what values, and at what pace."""
