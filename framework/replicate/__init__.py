"""Replication: rows of PostgreSQL become rows of the target, exactly once."""

from framework.replicate.engine import Options, replicate

__all__ = ["Options", "replicate"]
