"""Replication: rows of PostgreSQL become rows of the target, exactly once."""

from framework.replicate.engine import replicate
from framework.replicate.options import Options

__all__ = ["Options", "replicate"]
