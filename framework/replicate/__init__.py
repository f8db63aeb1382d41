"""Replication: rows of PostgreSQL become rows of the target, exactly once."""
