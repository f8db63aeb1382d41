"""Replication: rows of PostgreSQL become rows of the target, exactly once."""

from framework.replicate.engine import opened, replicate
from framework.replicate.job import Job
from framework.replicate.options import Options
from framework.replicate.outline import Outline
from framework.replicate.phases import load, merge, plan, verify

__all__ = ["Job", "Options", "Outline", "load", "merge", "opened", "plan", "replicate", "verify"]
