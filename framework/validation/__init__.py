"""The spec checker: every problem of every file in one run, without a database."""
