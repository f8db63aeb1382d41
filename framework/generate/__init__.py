"""Fake data: filling a source, and the changes of a living system."""

from framework.generate.changes import tick
from framework.generate.filling import fill, pending

__all__ = ["fill", "pending", "tick"]
